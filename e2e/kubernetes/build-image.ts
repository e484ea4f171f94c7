import { execFile } from "node:child_process";
import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { kubernetesHome } from "./find-server.ts";
import { archiveOfImage } from "./kept-image.ts";

const run = promisify(execFile);
const imageScript = fileURLToPath(new URL("image.py", import.meta.url));

/** An image as a file, for `docker load`, `ctr images import` and the like. Pods need `imagePullPolicy: Never`. */
export interface Image {
  /** For example `localhost/dormouse:test`. */
  readonly name: string;
  /** Path of the archive. */
  readonly archive: string;
}

/** What an image is made of. */
export interface ImageContents {
  readonly name: string;
  /** Puts files into the image's root folder, in which Node is already. */
  readonly fill: (root: string) => Promise<void>;
  /** What its containers run; Pods may add `args`. */
  readonly entrypoint: readonly string[];
}

/** Path of Node in every image. */
export const nodePath = "/usr/bin/node";

/** Number of the user that images run as; it owns nothing. */
const imageUser = 65_532;

/** Makes an image of this process's own Node with its libraries, and of what is filled in. Takes about two seconds. */
export async function buildImage({ name, fill, entrypoint }: ImageContents): Promise<Image> {
  const folder = join(kubernetesHome(), "images");
  mkdirSync(folder, { recursive: true });
  const root = mkdtempSync(join(folder, "rootfs-"));
  try {
    chmodSync(root, 0o755);
    await addSystem(root);
    await fill(root);
    const archive = archiveOfImage(name);
    const user = ["--user", `${String(imageUser)}:${String(imageUser)}`];
    await run("python3", [imageScript, name, root, archive, ...user, "--entrypoint", ...entrypoint]);
    return { name, archive };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function addSystem(root: string): Promise<void> {
  for (const each of ["app", "dev", "etc", "proc", "sys", "tmp", "usr/bin"])
    mkdirSync(join(root, each), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
  const id = String(imageUser);
  writeFileSync(
    join(root, "etc/passwd"),
    `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${id}:${id}:nonroot:/tmp:/sbin/nologin\n`,
  );
  writeFileSync(join(root, "etc/group"), `root:x:0:\nnonroot:x:${id}:\n`);
  copyInto(root, "/etc/ssl/certs/ca-certificates.crt");
  copyFileSync(process.execPath, join(root, nodePath), constants.COPYFILE_FICLONE);
  const { stdout } = await run("ldd", [process.execPath]);
  const libraries = [...stdout.matchAll(/(\/\S+)/g)].map(([, path = ""]) => path);
  for (const library of libraries) copyInto(root, library);
  // glibc loads these for names where they are not part of it.
  const system = dirname(libraries.find((path) => /\/libc\.so/.test(path)) ?? "/lib/libc.so");
  for (const name of ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"]) copyInto(root, join(system, name));
}

/** Copies a file of this machine to the same place, if it is there. */
function copyInto(root: string, path: string): void {
  if (!existsSync(path)) return;
  mkdirSync(join(root, dirname(path)), { recursive: true });
  copyFileSync(path, join(root, path));
}
