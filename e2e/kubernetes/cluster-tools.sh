#!/usr/bin/env bash
# cluster-tools.sh: installs from Debian what cluster-up.sh needs besides build.sh. Needs root.
set -euo pipefail
commands=(containerd runc ctr conntrack iptables ip busybox python3 curl openssl unzip)
missing=0
for command in "${commands[@]}"; do command -v "$command" >/dev/null || missing=1; done
[[ -e /usr/lib/cni/bridge ]] || missing=1
((missing)) || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 update -qq
apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends \
  containerd runc containernetworking-plugins iptables conntrack iproute2 busybox-static python3 curl openssl unzip >/dev/null
