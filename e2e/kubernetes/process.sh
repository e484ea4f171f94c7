#!/usr/bin/env bash
# process.sh stop NAME [SIGNAL] | start NAME: ends one process of RUN_DIR, such as kube-apiserver, or starts it again.
set -euo pipefail
K8S_HOME=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}
RUN_DIR=${RUN_DIR:-$K8S_HOME/run/api}
# shellcheck source=processes.sh
source "$(dirname "$0")/processes.sh"

case ${1:-} in
  stop) stop "${@:2}" ;;
  start)
    [[ -e $RUN_DIR/$2.command ]] || fail "$2 never ran in $RUN_DIR"
    [[ -z $(pid_of "$2") ]] || fail "$2 runs already"
    start "$2"
    ;;
  *) fail "say stop or start" ;;
esac
