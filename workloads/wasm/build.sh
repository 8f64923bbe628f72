#!/bin/sh
# Rebuilds the test functions from their sources: .wat by wat2wasm (package wabt), .c by clang and wasm-ld (clang, lld).
#   workloads/wasm/build.sh [FOLDER]      default: beside the sources
# Exit status 77: the tools are not there.
set -eu
cd "$(dirname "$0")"
out=${1:-.}

find_tool() {
    for tool in "$@"; do
        if command -v "$tool" >/dev/null 2>&1; then
            echo "$tool"
            return
        fi
    done
    echo "skip: none of $* is installed" >&2
    exit 77
}
clang=$(find_tool clang-14 clang)
wat2wasm=$(find_tool wat2wasm)
find_tool wasm-ld-14 wasm-ld >/dev/null

for source in *.wat; do
    "$wat2wasm" "$source" -o "$out/${source%.wat}.wasm"
done
# SOURCE NAME [OPTION]
compile() {
    "$clang" --target=wasm32 -O2 -nostdlib -Wall -Wextra -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=16384 \
        ${3+"$3"} "$1" -o "$out/$2.wasm"
    chmod 644 "$out/$2.wasm"
}
for source in *.c; do
    compile "$source" "${source%.c}"
done
# The same function, for longer.
compile cpu.c cpu_20ms -DSTEPS=10400000u
compile cpu.c cpu_50ms -DSTEPS=26000000u
