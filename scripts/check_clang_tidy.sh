#!/usr/bin/env bash
# clang-tidy with the rules of .clang-tidy, and the warnings of clang, over all C files, on all cores. The analyser, which
# follows every path, is for what ships; tests are checked by the other rules, but may read names in vectors of ours with
# sscanf and compare what two runs have used byte by byte, which asks for more than a comparison of the members.
#   scripts/check_clang_tidy.sh [FILE…]
# Exit status 77: clang-tidy is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-tidy >/dev/null 2>&1 || { echo "skip: clang-tidy is not installed"; exit 77; }

[ $# -gt 0 ] || mapfile -t files < <(find sim policies workloads tests -name '*.c' -not -path 'workloads/wasm/*' |
    LC_ALL=C sort) # Wasm guests are compiled for another machine
[ $# -eq 0 ] || files=("$@")
flags=(-std=c11 -D_GNU_SOURCE -Isim -I. -Itests '-DFSIM_VERSION="0"' -DFSIM_CHECKS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef # CMakeLists.txt
    '-DFUZZ_FILE="trace"' '-DFUZZ_FORMAT="numbers"') # the last two: of tests/fuzz/reader.c
# shellcheck disable=SC2207 # the flags are words
flags+=($(pkg-config --cflags gsl jansson))
# WasmEdge: the system's or the prefix's header; without one its only user is left out.
if [ -d .deps/wasmedge/usr/include ]; then
    flags+=(-isystem .deps/wasmedge/usr/include)
elif [ ! -e /usr/include/wasmedge/wasmedge.h ]; then
    for i in "${!files[@]}"; do [ "${files[i]}" != sim/wasm/worker/backend_wasmedge.c ] || unset "files[i]"; done
fi

# clang-tidy counts what it suppressed on standard error; findings come on standard output.
status=0
found=$(printf '%s\n' "${files[@]}" |
    xargs -P "$(nproc)" -I {} sh -c 'file=$1; shift
        case "$file" in tests/*) checks=-clang-analyzer-*,-cert-err34-c,-bugprone-suspicious-memory-comparison ;; *) checks= ;; esac
        clang-tidy --quiet --checks="$checks" "$file" -- "$@" 2>/dev/null' sh {} "${flags[@]}") || status=1
if [ -n "$found" ]; then
    printf '%s\n' "$found" | sed "s#$PWD/##g"
    exit 1
fi
[ "$status" -eq 0 ] || { echo "clang-tidy failed without a finding"; exit 1; }
