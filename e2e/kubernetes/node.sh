#!/usr/bin/env bash
# node.sh N: node number N, started by cluster-up.sh as the first process of new namespaces for processes, mounts, host
# name and cgroups, inside the node's network namespace. Everything on the node ends with it.
set -euo pipefail

number=$1
name=node$number
address=10.199.0.1$number
work=$RUN_DIR/$name
mkdir -p "$work"
cd "$work"
hostname "$name"

mount --make-rprivate /
# This shows the node's network devices instead of the machine's.
mount -t sysfs sysfs /sys
mount -t tmpfs cgroup /sys/fs/cgroup
for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
  mkdir "/sys/fs/cgroup/$controller"
  mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
done
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd

# The kubelet insists on these settings of the kernel. It is shown files instead, so that the machine keeps its own.
mkdir -p kernel
show_setting() {
  local file=kernel/${1//\//_}
  echo "$2" >"$file"
  mount --bind "$file" "/proc/sys/$1"
}
show_setting vm/overcommit_memory 1
show_setting kernel/panic 10
show_setting kernel/panic_on_oops 1
show_setting kernel/keys/root_maxkeys 1000000
show_setting kernel/keys/root_maxbytes 25000000

mount -t tmpfs tmpfs /run
for folder in /var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers /etc/cni /opt; do
  mkdir -p "$work/root$folder" "$folder"
  mount --bind "$work/root$folder" "$folder"
done
mount --make-rshared /

mkdir -p /etc/cni/net.d
cat >/etc/cni/net.d/10-bridge.conflist <<END
{ "cniVersion": "0.4.0", "name": "pods", "plugins": [
  { "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "ipMasq": false,
    "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.244.$number.0/24" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
  { "type": "portmap", "capabilities": { "portMappings": true } } ] }
END

socket=/run/containerd/containerd.sock
# Not everybody who is root may lower the score of the out-of-memory killer.
cat >containerd.toml <<END
version = 2
root = "$work/containerd"
state = "/run/containerd"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
END
containerd --config containerd.toml >containerd.log 2>&1 &
for _ in $(seq 100); do
  ! ctr --address $socket version >/dev/null 2>&1 || break
  sleep 0.1
done
for archive in $IMAGES; do ctr --address $socket --namespace k8s.io images import "$archive" >>images.log 2>&1; done

echo "nameserver 127.0.0.1" >resolv.conf
cat >kubelet.yaml <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $address
healthzBindAddress: 127.0.0.1
authentication:
  anonymous: { enabled: false }
  webhook: { enabled: true }
  x509: { clientCAFile: $RUN_DIR/pki/ca.crt }
authorization: { mode: Webhook }
cgroupDriver: cgroupfs
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
failSwapOn: false
oomScoreAdj: 0
resolvConf: $work/resolv.conf
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: { memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1% }
nodeStatusUpdateFrequency: 1s
nodeLeaseDurationSeconds: 40
registryPullQPS: 0
END
kubelet_flags=()
case $("$K8S_BIN/kubelet" --version) in
  *" v1.20."* | *" v1.21."* | *" v1.22."* | *" v1.23."*)
    kubelet_flags+=(--container-runtime=remote "--container-runtime-endpoint=unix://$socket")
    ;;
  *) printf 'failCgroupV1: false\ncontainerRuntimeEndpoint: unix://%s\n' $socket >>kubelet.yaml ;;
esac
"$K8S_BIN/kubelet" --config=kubelet.yaml --kubeconfig="$RUN_DIR/$name.kubeconfig" --hostname-override="$name" \
  --node-ip="$address" --root-dir=/var/lib/kubelet "${kubelet_flags[@]}" --v=2 >kubelet.log 2>&1 &

cat >proxy.yaml <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: { kubeconfig: $RUN_DIR/proxy.kubeconfig }
hostnameOverride: $name
clusterCIDR: 10.244.0.0/16
mode: iptables
oomScoreAdj: 0
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s }
iptables: { minSyncPeriod: 0s, syncPeriod: 30s }
END
"$K8S_BIN/kube-proxy" --config=proxy.yaml --v=2 >proxy.log 2>&1 &

# The first process has to bury the orphans of containers.
while :; do
  wait -n || true
  sleep 0.2
done
