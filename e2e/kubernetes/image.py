#!/usr/bin/env python3
"""Makes a container image of a folder, without a registry or a daemon.

image.py NAME:TAG FOLDER ARCHIVE [--user UID:GID] [--env NAME=VALUE]... [--entrypoint WORD...] [--command WORD...]

The archive is one layer with all of the folder, owned by root, in both layouts at once: that of the Open Container
Initiative and that of `docker save`. So `ctr images import`, `docker load` and `kind load image-archive` take it.
"""

import argparse
import hashlib
import io
import json
import os
import platform
import tarfile
import tempfile

path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The same folder makes the same image whenever it is made.
created = "2020-01-01T00:00:00Z"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder")
    parser.add_argument("archive")
    parser.add_argument("--user", default="")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--entrypoint", nargs="+", default=[])
    parser.add_argument("--command", nargs=argparse.REMAINDER, default=[])
    return parser.parse_args()


def as_root(entry):
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry


def layer_of(folder):
    """The folder as an archive."""
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name in sorted(os.listdir(folder)):
                archive.add(os.path.join(folder, name), arcname=name, filter=as_root)
        file.seek(0)
        return file.read()


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def to_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def described(kind, data):
    return {"mediaType": kind, "digest": "sha256:" + digest_of(data), "size": len(data)}


def main():
    given = arguments()
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    layer = layer_of(given.folder)
    config = to_json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": created,
            "config": {
                "Env": [path, *given.env],
                "User": given.user,
                "Entrypoint": given.entrypoint,
                "Cmd": given.command,
            },
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest_of(layer)]},
            "history": [{"created": created, "created_by": "image.py"}],
        }
    )
    prefix = "application/vnd.oci.image."
    manifest = to_json(
        {
            "schemaVersion": 2,
            "mediaType": prefix + "manifest.v1+json",
            "config": described(prefix + "config.v1+json", config),
            "layers": [described(prefix + "layer.v1.tar", layer)],
        }
    )
    entry = {
        **described(prefix + "manifest.v1+json", manifest),
        "annotations": {
            "io.containerd.image.name": given.name,
            "org.opencontainers.image.ref.name": given.name.rsplit(":", 1)[1],
        },
        "platform": {"architecture": architecture, "os": "linux"},
    }
    docker = {
        "Config": "blobs/sha256/" + digest_of(config),
        "RepoTags": [given.name],
        "Layers": ["blobs/sha256/" + digest_of(layer)],
    }
    # Whoever reads it meanwhile sees the old one.
    unfinished = given.archive + ".unfinished"
    with tarfile.open(unfinished, "w") as archive:

        def put(name, data):
            header = tarfile.TarInfo(name)
            header.size = len(data)
            header.mode = 0o644
            archive.addfile(header, io.BytesIO(data))

        put("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        put("index.json", to_json({"schemaVersion": 2, "manifests": [entry]}))
        put("manifest.json", to_json([docker]))
        for data in (layer, config, manifest):
            put("blobs/sha256/" + digest_of(data), data)
    os.replace(unfinished, given.archive)


main()
