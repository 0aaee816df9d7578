#!/usr/bin/env bash
# Tries the two commands of the README on the Debian release that this machine is not: in a bare root
# directory (apt, git, ca-certificates; an empty /tmp), over a clone of what is committed here.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)

usage() {
  cat <<'HELP'
Usage: tests/other_debian/run.sh [--suite bookworm|trixie] [--root DIR] [COMMAND...]

Runs each COMMAND (default: ./quickstart and ./check) in a bare Debian of the suite (default: of 12 and
13 the one that this machine is not), made by mmdebstrap in DIR (default: build/debian-SUITE) and kept
there, with its packages and compiler cache, for the next time: 5 GB. Takes root; exits with 77 and the
reason where it cannot be tried.

Examples:
  tests/other_debian/run.sh
  tests/other_debian/run.sh --suite trixie './check -L unit'
HELP
}
skip() { echo "skipped: $*"; exit 77; }

suite= root=
while [ $# -gt 0 ]; do
  case "$1" in
    -h|--help) usage; exit 0 ;;
    --suite) suite=${2:?--suite takes bookworm or trixie}; shift 2 ;;
    --root) root=${2:?--root takes a directory}; shift 2 ;;
    -*) usage >&2; exit 2 ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || set -- ./quickstart ./check
if [ -z "$suite" ]; then
  case "$(. /etc/os-release; echo "${VERSION_CODENAME:-}")" in
    bookworm) suite=trixie ;;
    trixie) suite=bookworm ;;
    *) skip "this machine is neither Debian 12 nor 13; say which to try by --suite" ;;
  esac
fi
root=${root:-$source/build/debian-$suite}

[ "$(id -u)" -eq 0 ] || skip "a root directory of another Debian is made by root alone"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is missing (apt-get install mmdebstrap)"
unshare --mount --pid --fork true 2>/dev/null || skip "this machine permits no namespaces"

# Only a directory that carries this mark is written to.
mark=$root/made-by-gridsweep-tests
if [ ! -e "$mark" ]; then
  [ ! -e "$root" ] || [ -z "$(ls -A "$root")" ] ||
    { echo "$root is not empty and was not made by this test: name another by --root"; exit 2; }
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -oEm 1 '^(URIs:|deb )[^#]*https?://[^ ]+/debian/?( |$)' | grep -oE 'https?://[^ ]+' || true)
  mirror=${mirror:-http://deb.debian.org/debian}
  mkdir -p "$(dirname "$root")"
  echo "making a bare $suite in $root from $mirror"
  log=$root.log
  mmdebstrap --variant=minbase --include=git,ca-certificates "$suite" "$root" \
    "deb $mirror $suite main" >"$log" 2>&1 || { tail -5 "$log"; skip "mmdebstrap failed (log: $log)"; }
  # How this machine reaches the network: resolver, and certificates of a proxy's own.
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
  touch "$mark"
fi

project=$root/home/new/project
mkdir -p "$root/home/new" "$root/var/cache/ccache"
rm -rf "$project" "$root/tmp"
mkdir -m 1777 "$root/tmp"
git clone -q "$source" "$project"

# Everything that is started there ends with the namespace of processes.
enter() {
  unshare --mount --pid --fork --kill-child bash -euc '
    root=$1; shift
    for d in sys dev; do mount --rbind "/$d" "$root/$d"; done
    mount -t proc proc "$root/proc"
    exec chroot "$root" "$@"' enter "$root" /usr/bin/env -i HOME=/root TERM=dumb \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin CCACHE_DIR=/var/cache/ccache \
    $(env | grep -iE '^(https?_proxy|no_proxy|PIP_[A-Z_]*|SSL_CERT_FILE)=' || true) \
    bash -c "cd /home/new/project && $1"
}
enter update-ca-certificates >/dev/null 2>&1 || true

failed=0
for command; do
  started=$SECONDS
  echo "== $suite: $command"
  status=0
  enter "$command" || status=$?
  echo "== $suite: $command: exit code $status after $((SECONDS - started)) s"
  [ "$status" -eq 0 ] || failed=1
  if [ ! -d "$root/tmp" ]; then
    echo "== $suite: $command removed /tmp"
    failed=1
    mkdir -m 1777 "$root/tmp"
  fi
done
exit $failed
