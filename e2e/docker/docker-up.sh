#!/usr/bin/env bash
# docker-up.sh: a Docker Engine of its own in RUN_DIR, on RUN_DIR/docker.sock, that leaves the machine's network as it is:
# no iptables, no default bridge; networks that are made have addresses which this machine reaches. It ends with the
# process OWNER_PID, where that is given, or by docker-down.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${RUN_DIR:?is the folder of this engine}"
mkdir -p "$RUN_DIR"
# Two engines that start at the same time would choose the same addresses.
setsid nohup dockerd --host "unix://$RUN_DIR/docker.sock" --data-root "$RUN_DIR/data" --exec-root "$RUN_DIR/exec" \
  --pidfile "$RUN_DIR/docker.pid" --bridge none --default-address-pool "base=${ADDRESS_POOL:-10.196.0.0/15},size=24" \
  --iptables=false --ip-masq=false --ip-forward=false --userland-proxy=false \
  >"$RUN_DIR/log" 2>&1 </dev/null &
pid=$!
echo "$pid" >"$RUN_DIR/pid"
if [[ -n ${OWNER_PID:-} ]]; then
  setsid nohup "$here/docker-guard.sh" "$OWNER_PID" >/dev/null 2>&1 </dev/null &
  echo "$!" >"$RUN_DIR/guard.pid"
fi
for _ in $(seq 600); do
  docker -H "unix://$RUN_DIR/docker.sock" version >/dev/null 2>&1 && exit 0
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.05
done
tail -n 5 "$RUN_DIR/log" >&2
exit 1
