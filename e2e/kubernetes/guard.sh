#!/usr/bin/env bash
# guard.sh OWNER_PID DOWN: waits until the owner has ended, however that came about, then runs DOWN and removes RUN_DIR,
# which nobody will read any more. api-down.sh ends the guard where the owner ends things itself.
set -euo pipefail
tail --pid="$1" --follow /dev/null
GUARDED=1 "$2"
rm -rf "$RUN_DIR"
