#!/usr/bin/env bash
# Rebuilds the test functions from their sources and compares them with what is shipped. Exit status 77: no tools.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
workloads/wasm/build.sh "$scratch" || status=$?
[ "$status" -ne 77 ] || exit 77
[ "$status" -eq 0 ] || { echo "FAIL the test functions do not build"; exit 1; }
bad=0
for module in workloads/wasm/*.wasm; do
    built=$scratch/${module##*/}
    # The bytes are those of one compiler; another one's must at least be of the same kind.
    if ! cmp -s "$module" "$built"; then
        if clang-14 --version 2>/dev/null | grep -q 'version 14'; then
            echo "FAIL $module is not what its source gives"
            bad=1
        fi
    fi
    [ "$(head -c 4 "$built" | od -An -tx1)" = " 00 61 73 6d" ] || { echo "FAIL $built is no module"; bad=1; }
done
for source in tests/wasm/hostile/*.wat; do
    wat2wasm "$source" -o "$scratch/hostile.wasm"
    cmp -s "$scratch/hostile.wasm" "${source%.wat}.wasm" || { echo "FAIL ${source%.wat}.wasm is not what its source gives"; bad=1; }
done
exit "$bad"
