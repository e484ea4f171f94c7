#!/usr/bin/env bash
# build.sh [COMPONENT...]
#
# Builds Kubernetes 1.20.2 from Debian bookworm's source package `kubernetes` with Debian's Go 1.19 into $K8S_HOME/bin,
# and installs Debian's etcd. Without arguments: everything that a cluster needs.
#
# A component that is built already is not built again, and a build that was interrupted goes on where it stopped.
# Needs root on Debian bookworm for apt-get. On two cores all five take about three and a half minutes, kube-apiserver
# and kube-controller-manager alone two and a half. Nothing is deleted afterwards: the build folder makes the next
# component quick, and may be removed by hand.
set -euo pipefail

K8S_HOME=${K8S_HOME:-$HOME/.cache/dormouse/kubernetes}
bin=$K8S_HOME/bin
build=$K8S_HOME/build
source=go/src/k8s.io/kubernetes

components=("$@")
((${#components[@]} > 0)) || components=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)

say() { echo "[${SECONDS} s] $*"; }

# dpkg may be held by somebody else for a while.
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"; }

command -v etcd >/dev/null || [[ -x $bin/etcd ]] || {
  apt_get update -qq
  apt_get install -y -qq --no-install-recommends etcd-server >/dev/null
  say "etcd installed"
}

missing=()
for component in "${components[@]}"; do
  [[ -x $bin/$component ]] || missing+=("$component")
done
if ((${#missing[@]} == 0)); then
  say "already built: ${components[*]}"
  exit 0
fi

mkdir -p "$bin" "$build"/apt/{lists/partial,cache/archives/partial,parts} "$build/go/src/k8s.io" "$build/tmp"
# Two builds at once would write the same files.
exec 9>"$build/lock"
flock 9

apt_get update -qq
apt_get install -y -qq --no-install-recommends \
  golang-1.19-go golang-github-modern-go-reflect2-dev dpkg-dev openssl curl >/dev/null
say "tools installed"

cd "$build"

# The source comes from the machine's own Debian mirror; source packages are switched on in a configuration of our own.
unpack_source() {
  local mirrors=/etc/apt/sources.list.d/debian.sources
  if [[ -e $mirrors ]]; then
    sed -E 's/^Types: .*/Types: deb-src/; s/^Suites: bookworm .*/Suites: bookworm/' "$mirrors" >apt/parts/source.sources
  else
    sed -nE 's/^deb( .* bookworm main.*)/deb-src\1/p' /etc/apt/sources.list >apt/parts/source.list
  fi
  cat >apt/apt.conf <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$build/apt/parts";
Dir::State::lists "$build/apt/lists";
Dir::Cache "$build/apt/cache";
APT::Sandbox::User "root";
END
  (
    export APT_CONFIG=$build/apt/apt.conf
    apt-get update -qq
    apt-get source -qq --download-only kubernetes
  )
  rm -rf unpacking
  dpkg-source --no-check -x kubernetes_*.dsc unpacking >/dev/null 2>&1
  # The reflect2 1.0.1 in there, built with Go 1.18 or newer, crashes at the first custom resource.
  local reflect2=unpacking/vendor/github.com/modern-go/reflect2
  rm -f $reflect2/*.go $reflect2/*.s
  cp /usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} $reflect2/
  # Only now it counts as unpacked.
  mv unpacking $source
}

[[ -d $source ]] || {
  unpack_source
  say "source unpacked"
}

export GOCACHE=$build/gocache GOPATH=$build/go GOTMPDIR=$build/tmp
export GOFLAGS=-trimpath CGO_ENABLED=0 GO111MODULE=off PATH=/usr/lib/go-1.19/bin:$PATH
cd "$source"

# This file is not part of the source package: it is made from the comments of all API types.
generate_openapi() {
  local target=pkg/generated/openapi
  go build -o "$build/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  local skipped='^vendor/k8s.io/(code-generator|sample-apiserver|gengo|kube-openapi)/|/testdata/|_test.go'
  local folders
  folders=$(grep -rl --include='*.go' '^// *+k8s:openapi-gen=' $(ls -d vendor/k8s.io/*/ pkg cmd plugin) |
    sed 's#//#/#g' | grep -vE "$skipped" | xargs -n1 dirname | sort -u | sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
  "$build/openapi-gen" --logtostderr -i "$folders" -p "k8s.io/kubernetes/$target" -O openapi.unfinished \
    -h hack/boilerplate/boilerplate.generatego.txt -r "$build/violations.report"
  mv $target/openapi.unfinished.go $target/zz_generated.openapi.go
}

[[ -f pkg/generated/openapi/zz_generated.openapi.go ]] || {
  generate_openapi
  say "openapi generated"
}

flags="-s -w"
for package in component-base/version client-go/pkg/version; do
  for value in gitVersion=v1.20.2 gitMajor=1 gitMinor=20 gitTreeState=clean buildDate=2021-01-13T13:20:00Z; do
    flags+=" -X k8s.io/kubernetes/vendor/k8s.io/$package.$value"
  done
done

for component in "${missing[@]}"; do
  go build -tags providerless,dockerless -ldflags "$flags" -o "$build/tmp/$component" "./cmd/$component"
  mv "$build/tmp/$component" "$bin/$component"
  say "built $component ($(stat -c %s "$bin/$component") bytes)"
done
say "done; the build folder ($(du -sm "$build" | cut -f1) MB) may be deleted: $build"
