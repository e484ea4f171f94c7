#!/usr/bin/env bash
# docker-guard.sh OWNER_PID: waits until the owner has ended, however that came about, then ends the engine of RUN_DIR and
# removes the folder. docker-down.sh ends the guard where the owner ends things itself.
set -euo pipefail
tail --pid="$1" --follow /dev/null
GUARDED=1 "$(dirname "$0")/docker-down.sh"
rm -rf "$RUN_DIR"
