#!/usr/bin/env bash
# image.sh NAME FOLDER: the image of the tests, made here since no registry can be asked. Prints the path of its archive.
#
# It has a static busybox and `serve`, a web server on port 8080 of the files in /www. `serve` minds two files in
# /switches: with `broken` it ends at once with 7, and the health check that the tests declare looks for `held`. A stop
# signal ends it at once; with STOP_AFTER in its environment it takes that many seconds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=$1
archive=$2/$(basename "${name/:/-}").tar
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,tmp,etc,proc,sys,dev,www,switches}
chmod 755 "$root"
chmod 1777 "$root/tmp"
busybox=$(command -v busybox)
if ldd "$busybox" 2>/dev/null | grep -q '=>'; then
  echo "$busybox needs libraries, which the image lacks: apt-get install busybox-static" >&2
  exit 1
fi
cp "$busybox" "$root/bin/busybox"
for applet in sh sleep cat ls test env httpd echo kill hostname id; do ln -s busybox "$root/bin/$applet"; done
echo awake >"$root/www/index.html"
cat >"$root/bin/serve" <<'END'
#!/bin/sh
if [ -e /switches/broken ]; then
  echo "the switch says broken" >&2
  exit 7
fi
# The first process of a container ignores signals that it does not handle.
trap 'if [ -n "$STOP_AFTER" ]; then sleep "$STOP_AFTER"; fi; exit 0' TERM
httpd -f -p 8080 -h /www &
wait
END
chmod 755 "$root/bin/serve"
python3 "$here/../kubernetes/image.py" "$name" "$root" "$archive.$$" --entrypoint /bin/serve
mv "$archive.$$" "$archive"
echo "$archive"
