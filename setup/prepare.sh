# Sourced by ./quickstart and ./check: installs the packages, configures, builds.

say() { printf '%s\n' "$*" >&2; }

# Installs what setup/packages.txt names and this machine lacks.
install_packages() {
  local wanted missing
  wanted=$(grep -v '^#' setup/packages.txt)
  missing=$(for package in $wanted; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done)
  [ -n "$missing" ] || return 0
  local as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then
      as_root="sudo"
    else
      say "These Debian packages are missing, and installing them needs root. Please run"
      say ""
      say "  sudo apt-get update && sudo apt-get install --no-install-recommends" $missing
      say ""
      say "and start this again."
      exit 2
    fi
  fi
  # Without this, the package would start a PostgreSQL server of its own on
  # port 5432. Where there is one already, it is left alone.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    $as_root mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  say "installing $(echo "$missing" | wc -l) packages (log: build/apt.log)"
  mkdir -p build
  if ! { $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
      --no-install-recommends -o Dpkg::Options::=--force-confold $missing; } >build/apt.log 2>&1; then
    tail -20 build/apt.log >&2
    say "apt-get failed; the whole log is in build/apt.log"
    exit 1
  fi
}

# build TARGET...: configures once, then builds the targets.
build() {
  # A build tree that was moved or copied here belongs to another place.
  if [ -e build/release/CMakeCache.txt ] &&
     ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" build/release/CMakeCache.txt; then
    rm -rf build/release
  fi
  mkdir -p build
  if [ ! -e build/release/build.ninja ]; then
    if ! cmake --preset release >build/configure.log 2>&1; then
      tail -30 build/configure.log >&2
      exit 1
    fi
  fi
  if [ -t 1 ]; then
    cmake --build --preset release --target "$@"
  elif ! cmake --build --preset release --target "$@" >build/build.log 2>&1; then
    grep -A 15 -m 3 -E 'FAILED|error:' build/build.log >&2 || tail -40 build/build.log >&2
    say "the build failed; the whole log is in build/build.log"
    exit 1
  fi
}
