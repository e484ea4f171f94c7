#!/usr/bin/env bash
# api-down.sh: stops what was started in RUN_DIR. Does nothing where nothing was.
# GRACE_SECONDS: how long it may take to stop by itself (10)
set -euo pipefail

K8S_HOME=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}
RUN_DIR=${RUN_DIR:-$K8S_HOME/run/api}

# The guard leads a process group of its own; it must not end itself.
if [[ -e $RUN_DIR/guard && -z ${GUARDED:-} ]]; then
  kill -- "-$(cat "$RUN_DIR/guard")" 2>/dev/null || true
  rm -f "$RUN_DIR/guard"
fi

[[ -e $RUN_DIR/pids ]] || exit 0

# All are asked at once; whoever has not stopped in time is killed, since the data is not kept anyway.
tac "$RUN_DIR/pids" | while read -r name pid; do kill -TERM "$pid" 2>/dev/null || true; done
deadline=$((SECONDS + ${GRACE_SECONDS:-10}))
tac "$RUN_DIR/pids" | while read -r name pid; do
  while kill -0 "$pid" 2>/dev/null; do
    ((SECONDS < deadline)) || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.05
  done
  echo "stopped $name"
done
rm -f "$RUN_DIR/pids"
