#!/bin/sh
# Makes the Wasm runtime WasmEdge available for `fsim calibrate` and `fsim exec`.
#   scripts/setup-wasmedge.sh [PREFIX]      default: .deps/wasmedge in this tree
# 1. The system has it, or PREFIX holds it already: nothing to do, without network.
# 2. The distribution packages it (Debian 13 and later, Ubuntu 24.04 and later): apt-get install.
# 3. Else (Debian 12, Ubuntu 22.04): Debian 13's signed packages with their own libc into PREFIX; the system is not
#    changed. PREFIX/env then says where things are, and PREFIX/bin/run starts a program with the libraries of PREFIX.
# DEBIAN_MIRROR names a Debian mirror where the system is not Debian; WASMEDGE_SUITE another suite than trixie;
# WASMEDGE_FORCE_PREFIX=1 goes to step 3 at once.
# Exit status: 0 there is a runtime; 1 none could be had, standard error says why. fsim builds and runs without it.
set -eu
cd "$(dirname "$0")/.."

prefix=${1:-$PWD/.deps/wasmedge}
suite=${WASMEDGE_SUITE:-trixie}
keyring=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

say() { echo "setup-wasmedge: $*" >&2; }
fail() { say "$*"; exit 1; }

# ---- 1. there already
if [ "${WASMEDGE_FORCE_PREFIX:-0}" = 0 ] && [ -e /usr/include/wasmedge/wasmedge.h ]; then
    exit 0
fi
# The last thing a run of this script writes is env: a prefix with it is whole.
if [ -r "$prefix/env" ] && [ "$(sed -n 's/^WASMEDGE_SUITE=//p' "$prefix/env")" = "$suite" ] &&
    [ "$(sed -n 's/^WASMEDGE_PREFIX=//p' "$prefix/env")" = "$(cd "$prefix" && pwd)" ]; then
    exit 0
fi
command -v apt-get >/dev/null 2>&1 || fail "not a Debian system: install WasmEdge with its C headers (0.13 or later)"

# ---- 2. the distribution's own
if [ "${WASMEDGE_FORCE_PREFIX:-0}" = 0 ]; then
    candidate=$(apt-cache policy libwasmedge-dev 2>/dev/null | sed -n 's/^ *Candidate: //p')
    if [ -n "$candidate" ] && [ "$candidate" != "(none)" ]; then
        as_root=
        [ "$(id -u)" -eq 0 ] || as_root=sudo
        say "installing libwasmedge-dev $candidate"
        export DEBIAN_FRONTEND=noninteractive
        $as_root apt-get install -y -qq --no-install-recommends libwasmedge-dev wasmedge >/dev/null
        exit 0
    fi
fi

# ---- 3. Debian 13's packages in a prefix
# The Debian mirror this machine already uses.
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 2>/dev/null |
    awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }')}
[ -n "$mirror" ] || fail "set DEBIAN_MIRROR to the address of a Debian mirror"
[ -r "$keyring" ] || fail "needs the package debian-archive-keyring (expected $keyring)"
arch=$(dpkg --print-architecture)

mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
work=$prefix/.apt
rm -rf "$work" "$prefix/usr" "$prefix/env" "$prefix/bin" "$prefix/link"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$prefix/link" "$prefix/bin"
: >"$work/status"
echo "deb [arch=$arch signed-by=$keyring] $mirror $suite main" >"$work/sources.list"

# apt with nothing of the system's: its own list, state and cache, so that neither root nor the system's settings matter.
private_apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
        -o APT::Architecture="$arch" -o APT::Architectures::="$arch" -o APT::Install-Recommends=false \
        -o Acquire::Languages=none -o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}
say "fetching WasmEdge from $suite into $prefix"
private_apt update >/dev/null || fail "no package list of $suite from $mirror"
private_apt -y --download-only install libwasmedge-dev wasmedge >/dev/null || fail "no packages from $mirror"
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$prefix"
done
rm -rf "$work"

triplet=$(gcc -print-multiarch 2>/dev/null || true)
libs=$prefix/usr/lib/${triplet:-$(uname -m)-linux-gnu}
loader=$(find "$libs" -maxdepth 1 -name 'ld-linux*.so.*' | head -n 1)
[ -n "$loader" ] || fail "no program loader among the packages of $suite"
# Linking sees this library only: the system's libc stays the link-time one.
ln -sf "$libs/libwasmedge.so" "$prefix/link/libwasmedge.so"
cat >"$prefix/bin/run" <<RUN
#!/bin/sh
exec "$loader" --library-path "$libs" "\$@"
RUN
chmod +x "$prefix/bin/run"
# libLLVM has a search path of its own: without the loader's list, libraries of both systems would mix unnoticed.
outside=$("$loader" --library-path "$libs" --list "$prefix/usr/bin/wasmedge" | grep -v -e "$prefix" -e linux-vdso || true)
[ -z "$outside" ] || fail "libraries from outside the prefix: $outside"
"$prefix/bin/run" "$prefix/usr/bin/wasmedge" --version >/dev/null || fail "the runtime in $prefix does not start"
cat >"$prefix/env" <<ENV
WASMEDGE_PREFIX=$prefix
WASMEDGE_SUITE=$suite
WASMEDGE_INCLUDE=$prefix/usr/include
WASMEDGE_LIBDIR=$prefix/link
WASMEDGE_LDSO=$loader
WASMEDGE_LIBPATH=$libs
ENV
say "done: $(du -sh "$prefix" | cut -f1)"
