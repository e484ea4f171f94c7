#!/usr/bin/env bash
# images.sh: the two images that every node needs, made here since no registry can be asked, into $K8S_HOME/images:
# localhost/pause:1, in which the kubelet keeps a Pod's namespaces, and localhost/busybox:1.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
images=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}/images
mkdir -p "$images"
cd "$images"
exec 9>lock
flock 9
[[ ! -e pause.tar || ! -e busybox.tar ]] || exit 0

root=rootfs-busybox
rm -rf $root
mkdir -p $root/{bin,tmp,etc,proc,sys,dev}
chmod 1777 $root/tmp
cp "$(command -v busybox)" $root/bin/busybox
for applet in sh wget sleep cat ls nc env httpd nslookup; do ln -s busybox $root/bin/$applet; done
python3 "$here/image.py" localhost/busybox:1 $root busybox.tar --command /bin/sh
python3 "$here/image.py" localhost/pause:1 $root pause.tar --command /bin/sleep 2147483647
