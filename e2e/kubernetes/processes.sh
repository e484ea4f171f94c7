# shellcheck shell=bash
# Functions over the processes of RUN_DIR, for the other scripts. `pids` has a line `name pid` for each that runs.

fail() {
  echo "$*" >&2
  exit 1
}

# start NAME: starts what NAME.command says, in RUN_DIR, outliving this script.
start() {
  local name=$1
  (
    cd "$RUN_DIR"
    # The command was written with its quotes.
    eval "set -- $(<"$name.command")"
    exec setsid nohup "$@" >>"$name.log" 2>&1 </dev/null
  ) &
  echo "$name $!" >>"$RUN_DIR/pids"
}

# run NAME COMMAND...: writes the command down and starts it.
run() {
  local name=$1
  shift
  printf '%q ' "$@" >"$RUN_DIR/$name.command"
  start "$name"
}

pid_of() { awk -v name="$1" '$1 == name { print $2 }' "$RUN_DIR/pids"; }

is_alive() { kill -0 "$(pid_of "$1")" 2>/dev/null; }

# stop NAME [SIGNAL]: ends one of them and waits for 10 seconds, then kills it.
stop() {
  local pid
  pid=$(pid_of "$1")
  [[ -n $pid ]] || fail "no $1 runs in $RUN_DIR"
  kill "-${2:-TERM}" "$pid" 2>/dev/null || true
  local deadline=$((SECONDS + 10))
  while kill -0 "$pid" 2>/dev/null; do
    ((SECONDS < deadline)) || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.05
  done
  sed -i "/^$1 /d" "$RUN_DIR/pids"
}
