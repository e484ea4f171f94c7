#!/usr/bin/env bash
# docker-down.sh: ends the engine of RUN_DIR with its containers and networks.
set -euo pipefail
: "${RUN_DIR:?is the folder of the engine}"
if [[ -z ${GUARDED:-} && -e $RUN_DIR/guard.pid ]]; then
  # The guard waits by a child, which is in its group.
  kill -TERM -- "-$(<"$RUN_DIR/guard.pid")" 2>/dev/null || true
fi
[[ -e $RUN_DIR/pid ]] || exit 0
pid=$(<"$RUN_DIR/pid")
docker=(docker -H "unix://$RUN_DIR/docker.sock")
if kill -0 "$pid" 2>/dev/null; then
  timeout 20 "${docker[@]}" ps --all --quiet 2>/dev/null | timeout 30 xargs --no-run-if-empty "${docker[@]}" rm --force >/dev/null 2>&1 || true
  timeout 20 "${docker[@]}" network prune --force >/dev/null 2>&1 || true
fi
# Its containerd is in its group; TERM to both at once would leave the one without the other.
kill -TERM "$pid" 2>/dev/null || true
for _ in $(seq 200); do
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.05
done
kill -KILL -- "-$pid" 2>/dev/null || true
# What a killed engine leaves mounted would keep its folder from being removed.
while read -r mount; do umount --lazy "$mount" 2>/dev/null || true; done < <(awk -v run="$RUN_DIR/" 'index($2, run) == 1 { print $2 }' /proc/mounts | sort --reverse)
