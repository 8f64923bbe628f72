#!/usr/bin/env bash
# Measures what workloads/wasm/README.md promises and prints each figure beside its bound: starts and density of the empty
# function, half load on all cores for a minute in five ways, and hostile modules. On a machine with nothing else to do;
# what is said about others at the end of a run tells whether it was. As root, or with the right to it, real-time priority keeps
# other work out: chrt -f 10 scripts/measure_wasm.sh
#   scripts/measure_wasm.sh [--profile] [BUILD_DIR]      default: build/release. About seven minutes.
#   --profile: also measures the shipped profile anew.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=
[ "${1-}" != --profile ] || { profile=yes && shift; }
build=${1:-build/release}
out=results/wasm
mkdir -p "$out"

# FILE OBJECT KEY: the number of a key in the first object of that name.
number() {
    sed -n "/\"$2\"/,/}/s/.*\"$3\": *\([^,} ]*\).*/\1/p" "$1" | head -n 1
}
# NAME VALUE SCALE UNIT BOUND: below the bound, or of its size at the least if it begins with ">".
row() {
    awk -v name="$1" -v value="${2:-nan}" -v scale="$3" -v unit="$4" -v bound="$5" 'BEGIN {
        least = sub(/^>/, "", bound); v = value * scale; v = v < 0 && !least ? -v : v
        holds = value != "null" && value != "nan" && (least ? v >= bound : v <= bound)
        printf "%-58s %10.3f %-5s (%s %s)  %s\n", name, value * scale, unit, least ? "at least" : "at most", bound, holds ? "holds" : "DOES NOT HOLD" }'
}

for backend in wasmedge wasm2c; do
    file=$out/empty-$backend.profile.json
    if "$build/fsim" calibrate workloads/wasm/empty.wasm --backend "$backend" -q -o "$file" >"$out/empty-$backend.txt" 2>&1; then
        row "$backend: zygote start until ready, p50" "$(number "$file" zygote_ready p50_s)" 1e3 ms 1
        row "$backend: zygote start with first call, p50" "$(number "$file" zygote p50_s)" 1e3 ms 1
        row "$backend: live instances" "$(number "$file" density instances)" 1 "" ">5000"
    else
        echo "$backend: not measured: $(tail -n 1 "$out/empty-$backend.txt")"
    fi
done
if [ -n "$profile" ]; then
    "$build/fsim" calibrate workloads/wasm/cpu.wasm -o workloads/wasm/profiles/wasm-zygote.json
fi
# Half load of two cores is 50 calls of 20 ms a second, or 700 of 1.4 ms. With instances kept for 100 ms some hundred
# starts are counted, otherwise as many as there were requests at once.
calls_20ms=(-m workloads/wasm/cpu_20ms.wasm --set workload.rate=50)
for way in "lambda" "lambda, kept 100 ms" "scf" "knative" "lambda, calls of 1.4 ms"; do
    policy=${way%%,*}
    name=half-load-${way//[, ]/-}
    case $way in
        *kept*) options=("${calls_20ms[@]}" --set policy.keepalive.name=fixed --set policy.keepalive.window=100ms) ;;
        *1.4*) options=(-m workloads/wasm/cpu.wasm) ;;
        *) options=("${calls_20ms[@]}") ;;
    esac
    if ! "$build/fsim" exec workloads/wasm/half-load.json "${options[@]}" --policy "$policy" --keep-awake -q \
        --out "$out/$name" >"$out/$name.txt" 2>&1; then
        echo "half load, $way: not measured: $(tail -n 1 "$out/$name.txt")"
        continue
    fi
    file=$out/$name/summary.json
    row "half load, $way: latency p50 is off by" "$(number "$file" latency_s.p50 error)" 100 % 10
    row "half load, $way: latency p99 is off by" "$(number "$file" latency_s.p99 error)" 100 % 25
    row "half load, $way: cold starts are off by" "$(number "$file" cold.triggered error)" 100 % 5
    for figure in latency_s.p50 latency_s.p99 cold.triggered; do
        printf '  with the stalls that were seen %s is off by %s of it\n' "$figure" "$(number "$file" "$figure" error_with_stalls)"
    done
    grep -E '^(Other work took|Cores stood still)' "$out/$name.txt" || true
done
for how in "CPU --cpu-limit 500ms" "wall --cpu-limit 60s --wall-limit 500ms"; do
    # shellcheck disable=SC2086 # options are words
    text=$("$build/fsim" calibrate tests/wasm/hostile/endless_loop.wasm -q -o "$out/none.json" ${how#* } 2>&1 >"$out/none.txt" || true)
    case $how in
        CPU*) after=$(sed -n 's/.*after \([0-9.]*\) s of CPU.*/\1/p' <<<"$text") ;;
        *) after=$(sed -n 's/.*CPU time in \([0-9.]*\) s.*/\1/p' <<<"$text") ;;
    esac
    row "endless loop stopped by its ${how%% *} limit of 0.5 s after" "$after" 1 s 1.5
done
