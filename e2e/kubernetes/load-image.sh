#!/usr/bin/env bash
# load-image.sh ARCHIVE...: loads images into the containerd of every node of the cluster in RUN_DIR. A tag that is
# there already leads to the new image afterwards; containers that run keep theirs.
set -euo pipefail
K8S_HOME=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}
RUN_DIR=${RUN_DIR:-$K8S_HOME/run/cluster}
awk '/^node/ { print $2 }' "$RUN_DIR/pids" | while read -r pid; do
  for archive in "$@"; do
    # The node's socket lies in its own /run.
    nsenter --mount --target "$pid" ctr --address /run/containerd/containerd.sock --namespace k8s.io \
      images import - <"$archive"
  done
done
