#!/usr/bin/env bash
# api-up.sh
#
# Starts etcd, kube-apiserver and kube-controller-manager on one address and prints KUBECONFIG=… at the end;
# api-down.sh with the same RUN_DIR stops them. There is no node: Pods stay Pending until a test binds them and
# writes their status, as a kubelet would.
#
#   K8S_BIN      folder of the binaries; etcd may also be on PATH       $K8S_HOME/bin
#   RUN_DIR      logs, keys, data and pids of this server               $K8S_HOME/run/api
#   BIND         address to listen on                                   127.0.0.1
#   API_PORT, ETCD_PORT, ETCD_PEER_PORT, CONTROLLERS_PORT               21443, 21379, 21380, 21257
#   CONTROLLERS  0: no kube-controller-manager                          1
#   TOKENS       further lines `token,user,uid[,"groups"]`
#   RECONCILER   1: the server writes its own Endpoints; needs a BIND that is not loopback
#   OWNER_PID    once this process has ended, DOWN is run
#   DOWN         what stops everything                                  api-down.sh
#   API_EXTRA, CONTROLLERS_EXTRA  further flags
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
K8S_HOME=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}
K8S_BIN=${K8S_BIN:-$K8S_HOME/bin}
RUN_DIR=${RUN_DIR:-$K8S_HOME/run/api}
BIND=${BIND:-127.0.0.1}
API_PORT=${API_PORT:-21443}
ETCD_PORT=${ETCD_PORT:-21379}
ETCD_PEER_PORT=${ETCD_PEER_PORT:-21380}
CONTROLLERS_PORT=${CONTROLLERS_PORT:-21257}
DOWN=${DOWN:-$here/api-down.sh}

# shellcheck source=processes.sh
source "$here/processes.sh"

[[ -x $K8S_BIN/kube-apiserver ]] || fail "there is no kube-apiserver in $K8S_BIN: run e2e/kubernetes/build.sh"
if [[ -x $K8S_BIN/etcd ]]; then etcd=$K8S_BIN/etcd; else etcd=$(command -v etcd) || fail "etcd is missing: apt-get install etcd-server"; fi
[[ ! -e $RUN_DIR/pids ]] || fail "$RUN_DIR/pids exists: it is up already, or run api-down.sh first"

rm -rf "$RUN_DIR"
mkdir -p "$RUN_DIR/pki" "$RUN_DIR/etcd"
chmod 700 "$RUN_DIR"
cd "$RUN_DIR"
touch pids

ended_well=0
trap '((ended_well)) || RUN_DIR=$RUN_DIR "$DOWN" >&2 || true' EXIT

if [[ -n ${OWNER_PID:-} ]]; then
  RUN_DIR=$RUN_DIR setsid nohup "$here/guard.sh" "$OWNER_PID" "$DOWN" >guard.log 2>&1 </dev/null &
  echo $! >guard
fi

# HTTP status of a path, asked for by the administrator.
status_of() {
  curl -s -o /dev/null -w '%{http_code}' --cacert pki/ca.crt -H "Authorization: Bearer $admin" "https://$BIND:$API_PORT$1" || true
}

# wait_for NAME PATH: until the path answers 200; fails at once where the process NAME has ended.
wait_for() {
  for _ in $(seq 600); do
    [[ $(status_of "$2") != 200 ]] || return 0
    is_alive "$1" || fail "$1 ended: $(tail -5 "$1.log")"
    sleep 0.1
  done
  fail "$2 did not answer within a minute: $(tail -5 "$1.log")"
}

random() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# kubeconfig FILE TOKEN
kubeconfig() {
  cat >"$1" <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$BIND:$API_PORT", certificate-authority: "$RUN_DIR/pki/ca.crt"}}]
users: [{name: test, user: {token: "$2"}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
END
  chmod 600 "$1"
}

make_keys() (
  cd pki
  openssl ecparam -genkey -name prime256v1 -noout -out ca.key
  openssl req -x509 -new -key ca.key -subj /CN=dormouse-test-ca -days 365 -out ca.crt
  cat >extensions <<END
subjectAltName=IP:127.0.0.1,IP:$BIND,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
extendedKeyUsage=serverAuth,clientAuth
END
  openssl ecparam -genkey -name prime256v1 -noout -out apiserver.key
  openssl req -new -key apiserver.key -subj /CN=kube-apiserver -out apiserver.csr
  openssl x509 -req -in apiserver.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile extensions -out apiserver.crt
  # With this one the API server talks to kubelets (logs, exec).
  openssl ecparam -genkey -name prime256v1 -noout -out kubelet-client.key
  openssl req -new -key kubelet-client.key -subj /O=system:masters/CN=kube-apiserver-kubelet-client -out kubelet-client.csr
  openssl x509 -req -in kubelet-client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out kubelet-client.crt
  # Aggregated API servers know the front proxy by this one.
  openssl ecparam -genkey -name prime256v1 -noout -out front-proxy.key
  openssl req -new -key front-proxy.key -subj /CN=front-proxy-client -out front-proxy.csr
  openssl x509 -req -in front-proxy.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out front-proxy.crt
  openssl genrsa -out sa.key 2048
  openssl rsa -in sa.key -pubout -out sa.pub
)
make_keys 2>openssl.log || fail "the keys could not be made: $(tail -5 openssl.log)"

admin=$(random)
controllers=$(random)
scheduler=$(random)
cat >tokens.csv <<END
$admin,admin,admin,system:masters
$controllers,system:kube-controller-manager,controllers,system:masters
$scheduler,system:kube-scheduler,scheduler
END
[[ -z ${TOKENS:-} ]] || printf '%s\n' "$TOKENS" >>tokens.csv
chmod 600 tokens.csv
kubeconfig admin.kubeconfig "$admin"
kubeconfig controllers.kubeconfig "$controllers"
kubeconfig scheduler.kubeconfig "$scheduler"

run etcd "$etcd" --name default --data-dir "$RUN_DIR/etcd" --unsafe-no-fsync \
  --listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
  --listen-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" \
  --initial-cluster "default=http://127.0.0.1:$ETCD_PEER_PORT"
# Where its port is taken it ends, and the API server would write into somebody else's storage.
for _ in $(seq 300); do
  is_alive etcd || fail "etcd ended: $(tail -5 etcd.log)"
  ! grep -q "ready to serve client requests" etcd.log || break
  sleep 0.1
done
grep -q "ready to serve client requests" etcd.log || fail "etcd was not ready within 30 s: $(tail -5 etcd.log)"

api_flags=()
controllers_flags=()
# Servers as old as ours open a second port without TLS unless told not to.
case $("$K8S_BIN/kube-apiserver" --version) in
  *" v1.20."* | *" v1.21."* | *" v1.22."* | *" v1.23."*)
    api_flags+=(--insecure-port=0)
    controllers_flags+=(--port=0)
    ;;
esac
# Loopback is refused as an address of Endpoints, so the server writes its own only where it has another one.
if [[ ${RECONCILER:-0} == 1 ]]; then
  api_flags+=("--advertise-address=$BIND")
else
  api_flags+=(--advertise-address=192.0.2.1 --endpoint-reconciler-type=none)
fi
# Nobody makes service accounts without controllers, and Pods would be refused for the lack of one.
[[ ${CONTROLLERS:-1} == 1 ]] || api_flags+=(--disable-admission-plugins=ServiceAccount)

# shellcheck disable=SC2086 # further flags are words
run kube-apiserver "$K8S_BIN/kube-apiserver" --etcd-servers="http://127.0.0.1:$ETCD_PORT" \
  --bind-address="$BIND" --secure-port="$API_PORT" \
  --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key \
  --client-ca-file=pki/ca.crt --token-auth-file=tokens.csv --authorization-mode=Node,RBAC --anonymous-auth=true \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=pki/sa.pub \
  --service-account-signing-key-file=pki/sa.key --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true \
  --kubelet-client-certificate=pki/kubelet-client.crt --kubelet-client-key=pki/kubelet-client.key \
  --kubelet-preferred-address-types=InternalIP --profiling=false \
  --requestheader-client-ca-file=pki/ca.crt --requestheader-allowed-names=front-proxy-client \
  --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
  --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --proxy-client-cert-file=pki/front-proxy.crt --proxy-client-key-file=pki/front-proxy.key \
  --enable-aggregator-routing=true "${api_flags[@]}" ${API_EXTRA:-}
wait_for kube-apiserver /readyz
echo "API server ready after $SECONDS s"

if [[ ${CONTROLLERS:-1} == 1 ]]; then
  # Started only now: it ends where it finds no API server.
  # shellcheck disable=SC2086
  run kube-controller-manager "$K8S_BIN/kube-controller-manager" --kubeconfig=controllers.kubeconfig \
    --authentication-kubeconfig=controllers.kubeconfig --authorization-kubeconfig=controllers.kubeconfig \
    --bind-address=127.0.0.1 --secure-port="$CONTROLLERS_PORT" --leader-elect=false \
    --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt \
    --cluster-signing-cert-file=pki/ca.crt --cluster-signing-key-file=pki/ca.key "${controllers_flags[@]}" ${CONTROLLERS_EXTRA:-}
  wait_for kube-controller-manager /api/v1/namespaces/default/serviceaccounts/default
  echo "controllers ready after $SECONDS s"
fi
ended_well=1
echo "KUBECONFIG=$RUN_DIR/admin.kubeconfig"
