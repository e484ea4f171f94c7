#!/usr/bin/env bash
# cluster-down.sh: removes what cluster-up.sh made: processes, namespaces, bridge with its routes, mounts, cgroups.
# Does nothing where nothing is there.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
K8S_HOME=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}
export RUN_DIR=${RUN_DIR:-$K8S_HOME/run/cluster}

# The first process of a node takes all others of it along.
"$here/api-down.sh"

for name in $(ip netns list | awk '/^dormouse-node/ { print $1 }'); do ip netns del "$name"; done
[[ ! -e /sys/class/net/dormouse0 ]] || ip link del dormouse0

# A cgroup can go once the last of its processes has ended.
remove_cgroups() {
  local folder left=0
  while read -r folder; do
    [[ -d $folder ]] || continue
    find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
  done <"$RUN_DIR/cgroups"
  return $left
}
if [[ -e $RUN_DIR/cgroups ]]; then
  for _ in $(seq 50); do
    ! remove_cgroups || {
      rm "$RUN_DIR/cgroups"
      exit 0
    }
    sleep 0.2
  done
  echo "some cgroups are left, see $RUN_DIR/cgroups" >&2
  exit 1
fi
