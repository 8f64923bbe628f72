#!/bin/sh
# Measures what workloads/wasm/README.md promises, on a machine with nothing else to do: starts and density of the empty
# function, the shipped profile (written anew), and half load on all cores for a minute under three policies.
#   scripts/measure_wasm.sh [BUILD_DIR]      default: build/release. About three minutes.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
mkdir -p results
for backend in wasmedge wasm2c; do
    echo "== starts and density: empty.wasm on $backend"
    "$build/fsim" calibrate workloads/wasm/empty.wasm --backend "$backend" -o "results/empty-$backend.profile.json" || true
done
echo "== the shipped profile: cpu.wasm on wasmedge"
"$build/fsim" calibrate workloads/wasm/cpu.wasm -o workloads/wasm/profiles/wasm-zygote.json
for policy in lambda scf knative; do
    echo "== half load for a minute under $policy"
    "$build/fsim" exec workloads/wasm/half-load.json -m workloads/wasm/cpu.wasm --policy "$policy" \
        --out "results/half-load-$policy"
done
