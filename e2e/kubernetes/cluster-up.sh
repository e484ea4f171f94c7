#!/usr/bin/env bash
# cluster-up.sh [NODES]
#
# A real cluster of 1 (or up to 9) nodes on one machine; cluster-down.sh with the same RUN_DIR removes it. Prints
# KUBECONFIG=… at the end. Needs root, build.sh, cgroup v1, and from Debian what cluster-tools.sh installs.
#
# The control plane runs in the machine's own network, on the bridge dormouse0 (10.199.0.1). Each node has namespaces of
# its own for network, mounts and processes, with containerd, kubelet and kube-proxy in them, and the address
# 10.199.0.11, .12, … Pods (10.244.N.0/24) and Services (10.96.0.0/16) are reachable from the machine. Addresses are
# fixed, so there is one such cluster at a time.
#
#   RUN_DIR   logs, keys, data and pids     $K8S_HOME/run/cluster
#   IMAGES    archives that each node loads  those of images.sh
#   ETCD_PORT, ETCD_PEER_PORT, OWNER_PID  see api-up.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export K8S_HOME=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}
export K8S_BIN=${K8S_BIN:-$K8S_HOME/bin}
export RUN_DIR=${RUN_DIR:-$K8S_HOME/run/cluster}
nodes=${1:-1}
bridge=dormouse0

# shellcheck source=processes.sh
source "$here/processes.sh"

[[ $(id -u) == 0 ]] || fail "a cluster of one's own needs root; otherwise set KUBECONFIG to a kind or k3s cluster"
((nodes >= 1 && nodes <= 9)) || fail "1 to 9 nodes, not $nodes"
[[ -d /sys/fs/cgroup/memory ]] || fail "this machine has no cgroup v1: set KUBECONFIG to a kind or k3s cluster"
for component in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
  [[ -x $K8S_BIN/$component ]] || fail "there is no $component in $K8S_BIN: run e2e/kubernetes/build.sh, without KUBEBUILDER_ASSETS, or put it there"
done
for command in containerd runc ctr conntrack iptables ip busybox python3 curl openssl; do
  command -v "$command" >/dev/null || fail "$command is missing: run e2e/kubernetes/cluster-tools.sh"
done
[[ ! -e /sys/class/net/$bridge ]] || fail "$bridge exists: another such cluster is up, or cluster-down.sh was not run"

"$here/images.sh" >/dev/null
export IMAGES=${IMAGES:-$K8S_HOME/images/pause.tar $K8S_HOME/images/busybox.tar}

random() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }
proxy=$(random)
tokens="$proxy,system:kube-proxy,proxy"
declare -a node_tokens
for n in $(seq "$nodes"); do
  node_tokens[n]=$(random)
  tokens+=$'\n'"${node_tokens[n]},system:node:node$n,node$n,system:nodes"
done

ended_well=0
trap '((ended_well)) || "$here/cluster-down.sh" >&2 || true' EXIT

ip link add "$bridge" type bridge
ip addr add 10.199.0.1/24 dev "$bridge"
ip link set "$bridge" up

BIND=10.199.0.1 API_PORT=6443 RECONCILER=1 TOKENS=$tokens DOWN=$here/cluster-down.sh \
  ETCD_PORT=${ETCD_PORT:-23379} ETCD_PEER_PORT=${ETCD_PEER_PORT:-23380} CONTROLLERS_PORT=${CONTROLLERS_PORT:-23257} \
  "$here/api-up.sh" >/dev/null
cd "$RUN_DIR"

# kubeconfig FILE TOKEN: the administrator's file with another token
kubeconfig() {
  sed "s/token: \"[^\"]*\"/token: \"$2\"/" admin.kubeconfig >"$1"
  chmod 600 "$1"
}
kubeconfig proxy.kubeconfig "$proxy"

# api METHOD PATH [CURL OPTIONS...]: as the administrator
api() {
  local token
  token=$(sed -nE 's/.*token: "([^"]+)".*/\1/p' admin.kubeconfig)
  curl -sS --fail --cacert pki/ca.crt -H "Authorization: Bearer $token" -X "$1" "https://10.199.0.1:6443$2" "${@:3}"
}

case $("$K8S_BIN/kube-scheduler" --version) in
  *" v1.20."* | *" v1.21."* | *" v1.22."* | *" v1.23."*) scheduler_flags=(--port=0) ;;
  *) scheduler_flags=() ;;
esac
run kube-scheduler "$K8S_BIN/kube-scheduler" --kubeconfig=scheduler.kubeconfig \
  --authentication-kubeconfig=scheduler.kubeconfig --authorization-kubeconfig=scheduler.kubeconfig \
  --leader-elect=false --bind-address=127.0.0.1 --secure-port="${SCHEDULER_PORT:-23259}" "${scheduler_flags[@]}"

# What kubeadm would bind too.
api POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings -o /dev/null -H 'Content-Type: application/json' -d '{
  "metadata": { "name": "test-node-proxier" },
  "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-proxier" },
  "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:kube-proxy" }]
}'

# The network namespace of node N. It has no way out of the machine: look-ups of cloud metadata fail at once, which would
# cost this kubelet eleven seconds otherwise.
make_network() {
  local n=$1 name=dormouse-node$1
  ip netns add "$name"
  ip link add "dormouse-n$n" type veth peer name eth0 netns "$name"
  ip link set "dormouse-n$n" master "$bridge" up
  ip -n "$name" link set lo up
  ip -n "$name" addr add "10.199.0.1$n/24" dev eth0
  ip -n "$name" link set eth0 up
  ip -n "$name" route add 10.96.0.0/16 via 10.199.0.1
  nsenter "--net=/run/netns/$name" sysctl -qw net.ipv4.ip_forward=1
  ip route add "10.244.$n.0/24" via "10.199.0.1$n"
  local other
  for other in $(seq "$nodes"); do
    [[ $other == "$n" ]] || ip -n "$name" route add "10.244.$other.0/24" via "10.199.0.1$other"
  done
}

# Moves this shell into a cgroup of the node, in every hierarchy, below the one that it is in.
enter_cgroups() {
  local name=dormouse-node$1 controller own folder
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do
    own=$(awk -F: -v c="$controller" '$2 == c || $2 == "name=" c { print $3 }' /proc/self/cgroup)
    folder=/sys/fs/cgroup/$controller${own%/}/$name
    mkdir -p "$folder"
    if [[ $controller == cpuset ]]; then
      cat "$folder/../cpuset.cpus" >"$folder/cpuset.cpus"
      cat "$folder/../cpuset.mems" >"$folder/cpuset.mems"
      echo 1 >"$folder/cgroup.clone_children"
    fi
    echo "$folder" >>"$RUN_DIR/cgroups"
    echo "$BASHPID" >"$folder/cgroup.procs"
  done
}

for n in $(seq "$nodes"); do
  kubeconfig "node$n.kubeconfig" "${node_tokens[n]}"
  make_network "$n"
  (
    enter_cgroups "$n"
    exec setsid nohup nsenter "--net=/run/netns/dormouse-node$n" \
      unshare --mount --pid --fork --mount-proc --kill-child=KILL --uts --cgroup \
      "$here/node.sh" "$n" >"$RUN_DIR/node$n.log" 2>&1 </dev/null
  ) &
  echo "node$n $!" >>pids
done
ip route add 10.96.0.0/16 via 10.199.0.11

count_ready() {
  api GET /api/v1/nodes | python3 -c '
import json, sys
conditions = [c for node in json.load(sys.stdin)["items"] for c in node["status"].get("conditions", [])]
print(sum(c["type"] == "Ready" and c["status"] == "True" for c in conditions))'
}
ready=0
for _ in $(seq 300); do
  ready=$(count_ready || echo 0)
  [[ $ready != "$nodes" ]] || break
  is_alive node1 || fail "node1 ended: $(tail -5 node1.log)"
  sleep 0.2
done
[[ $ready == "$nodes" ]] || fail "$ready of $nodes nodes became ready: $(tail -5 node1/kubelet.log)"
ended_well=1
echo "nodes ready after $SECONDS s"
echo "KUBECONFIG=$RUN_DIR/admin.kubeconfig"
