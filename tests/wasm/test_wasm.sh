#!/usr/bin/env bash
# Runs real modules: the shipped ones, and hostile ones, each of which must be stopped within its limit while fsim stands.
#   tests/wasm/test_wasm.sh BUILD_DIR BACKEND
# Exit status 77: the backend is not there.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: test_wasm.sh BUILD_DIR BACKEND" >&2; exit 2; }
build=$(realpath "$1")
backend=$2
source=$(realpath "$(dirname "$0")/../..")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"

case $backend in
    wasmedge) worker=$build/fsim-wasm-worker
        [ -x "$worker" ] || { echo "skip: no WasmEdge in this build (scripts/setup-wasmedge.sh)"; exit 77; } ;;
    wasm2c) command -v wasm2c >/dev/null || { echo "skip: no wasm2c (package wabt)"; exit 77; } ;;
esac

bad=0
fail() { echo "FAIL $backend: $*"; bad=1; }

# ---- the shipped ones: a profile with what the contract names
for module in empty cpu sha256 output alloc; do
    if ! timeout 120 "$build/fsim" calibrate "$source/workloads/wasm/$module.wasm" --backend "$backend" --calls 20 \
        --starts 5 --instances 3 -q -o "$module.json" >out 2>err; then
        fail "$module: $(cat err)"
        continue
    fi
    for key in '"schema": "fsim.profile/1"' '"read"' '"compile"' '"first_call"' '"in_process"' '"zygote"' '"process"' \
        '"native_process"' '"cpu_s"' '"instructions"' '"bytes_each"' '"limited_by"' '"cold_start"' '"service"' '"quantiles"' '"dispatch"'; do
        grep -qF "$key" "$module.json" || fail "$module: no $key in the profile"
    done
done
grep -q '"output_bytes": 24' output.json || fail "output: the line was not counted"
[ "$(stat -c %a cache/fsim/wasm)" = 700 ] || fail "the cache is open to others"

# A profile serves a scenario.
cat >scenario.json <<'JSON'
{"schema": "fsim.scenario/1", "name": "measured",
 "workload": {"source": "poisson", "rate": 100, "until": "10s"},
 "functions": [{"name": "fn", "memory_mb": {"profile": "cpu.json"}, "service": {"profile": "cpu.json"},
   "cold_start": {"profile": "cpu.json", "use": "fit"}}],
 "policy": {"bundle": "lambda"}}
JSON
timeout 60 "$build/fsim" scenario.json --out none -q >out 2>err || fail "a scenario with the profile: $(cat err)"

# ---- hostile ones: MODULE EXIT TEXT [OPTIONS]
hostile() {
    local module=$1 expected=$2 text=$3 status=0
    shift 3
    rm -f profile.json
    timeout 60 "$build/fsim" calibrate "$source/tests/wasm/hostile/$module.wasm" --backend "$backend" -q -o profile.json \
        --cpu-limit 200ms --wall-limit 1s "$@" >out 2>err || status=$?
    [ "$status" -eq "$expected" ] || fail "$module: exit code $status, expected $expected: $(cat err)"
    grep -qiE "$text" err || fail "$module: expected \"$text\": $(cat err)"
    [ ! -e profile.json ] || fail "$module: left a profile"
    # Stopped within the limit and a second, by the worker's own accounts: CPU time against the limit on CPU time, the
    # time since the call or start was asked for against the limit on time. A busy machine delays neither for long.
    case $text in
        'CPU time limit') stopped 's/.*after \([0-9.]*\) s of CPU time.*/\1/p' 0.2 ;;
        'wall time limit') stopped 's/.*of CPU time in \([0-9.]*\) s.*/\1/p' 0.3 ;;
    esac
}
stopped() {
    local after
    after=$(sed -n "$1" err)
    awk -v after="${after:-99}" -v limit="$2" 'BEGIN { exit !(after >= 0.9 * limit && after <= limit + 1) }' ||
        fail "$module: stopped after '$after' s, limit $2 s"
}
hostile endless_loop 4 'CPU time limit'
hostile endless_loop 4 'wall time limit' --cpu-limit 30s --wall-limit 300ms
hostile endless_recursion 4 'SIGSEGV|exhausted|CPU time limit' # some compilers make a loop of it
hostile memory_growth 4 'unreachable|CPU time limit'
hostile table_growth 4 'unreachable|SIGABRT|SIGSEGV|CPU time limit'
hostile giant_start_memory 6 'a memory of 65536 pages'
hostile giant_start_table 6 'tables of 60000000 entries'
hostile native_section 4 'custom section "wasmedge"'
hostile output_flood 4 'output limit'
hostile malformed_body 4 'does not compile'
hostile trap_at_start 4 'traps when it starts: .*unreachable'
hostile trap_in_call 4 'unreachable'
hostile loop_at_start 4 'CPU time limit'
hostile exit_code 4 'exits with'
# Bytes at random behind a good beginning.
for seed in 1 2 3; do
    { head -c 20 "$source/workloads/wasm/sha256.wasm"; head -c 400 "$source/tests/wasm/test_wasm.sh" | tail -c "$((100 * seed))"; } >noise.wasm
    status=0
    timeout 60 "$build/fsim" calibrate noise.wasm --backend "$backend" -q -o profile.json >out 2>err || status=$?
    [ "$status" -eq 4 ] && [ ! -e profile.json ] || fail "noise $seed: exit code $status: $(cat err)"
done

# ---- a workload on real instances: the summary of a simulation, and the prediction beside it
cat >half.json <<'JSON'
{"schema": "fsim.scenario/1", "name": "half", "workload": {"source": "poisson", "rate": 100, "until": "2s"},
 "functions": [{"name": "fn"}]}
JSON
for policy in lambda scf knative; do
    if ! timeout 120 "$build/fsim" exec half.json -m "$source/workloads/wasm/cpu.wasm" --backend "$backend" \
        --policy "$policy" --profile cpu.json --format json -q --stalls stalls.json --out "run-$policy" >"$policy.json" 2>err; then
        fail "exec under $policy: $(cat err)"
        continue
    fi
    cmp -s "$policy.json" "run-$policy/summary.json" || fail "$policy: printed and stored summaries differ"
    for key in '"schema": "fsim.summary/1"' '"prediction"' '"latency_s.p99"' '"error"' '"path_s"' '"others"' '"bills"' \
        '"known": true' '"with_stalls"' '"error_with_stalls"'; do
        grep -qF "$key" "$policy.json" || fail "$policy: no $key in the summary"
    done
    # What it saw of the machine's cores, a scenario takes.
    timeout 60 "$build/fsim" half.json --set platform.nodes.count=1 --set platform.nodes.vcpu="$(getconf _NPROCESSORS_ONLN)" \
        --set platform.nodes.memory=1TB --set platform.nodes.cpu_model=fcfs --set platform.nodes.interruptions="$PWD/stalls.json" \
        --set functions.fn.service=1ms --out none -q >out 2>err || fail "$policy: the stalls it wrote are refused: $(cat err)"
    # Every arrival is accounted for, and all were served: 100 a second are few.
    arrived=$(sed -n 's/^ *"arrived": \([0-9]*\).*/\1/p' "$policy.json" | head -n 1)
    completed=$(sed -n 's/^ *"completed": \([0-9]*\).*/\1/p' "$policy.json" | head -n 1)
    [ "$arrived" -gt 100 ] && [ "$completed" = "$arrived" ] || fail "$policy: $completed of $arrived completed"
done
# Ctrl-C: the results so far, and no process is left.
"$build/fsim" exec half.json -m "$source/workloads/wasm/cpu.wasm" --backend "$backend" --policy lambda --set workload.until=1h \
    --profile cpu.json --out stopped >out 2>err &
pid=$!
sleep 3
workers=$(pgrep -P "$pid" || true)
kill -INT "$pid"
status=0
wait "$pid" || status=$?
[ "$status" -eq 0 ] && grep -q 'interrupted, results so far' out && [ -s stopped/summary.json ] ||
    fail "Ctrl-C: exit code $status: $(cat err)"
for worker in $workers; do
    [ ! -d "/proc/$worker" ] || fail "Ctrl-C: process $worker is still there"
done
# A function's time-out ends the call for real: the instance's process is killed, long before its own limits.
timeout 60 "$build/fsim" exec half.json -m "$source/tests/wasm/hostile/endless_loop.wasm" --backend "$backend" --policy lambda \
    --profile cpu.json --until 1s --set workload.rate=10 --set functions.fn.timeout=50ms --format json -q --out none >out 2>err ||
    fail "a function's time-out: $(cat err)"
grep -qE '"cut": [1-9]' out && grep -qE '"deaths": 0' out && grep -qE '"failed": [1-9]' out || fail "a function's time-out did not cut off"
# A guest that traps fails its requests, and nobody else's.
timeout 60 "$build/fsim" exec half.json -m "$source/tests/wasm/hostile/trap_in_call.wasm" --backend "$backend" --policy lambda \
    --profile cpu.json --until 1s --format json -q --out none >out 2>err || fail "a trapping guest: $(cat err)"
grep -qE '"traps": [1-9]' out && ! grep -qE '^ *"completed": [1-9]' out || fail "a trapping guest was not counted"
timeout 60 "$build/fsim" exec half.json -m "$source/tests/wasm/hostile/endless_loop.wasm" --backend "$backend" --policy lambda \
    --profile cpu.json --until 1s --set workload.rate=10 --cpu-limit 50ms --format json -q --out none >out 2>err || fail "an endless guest: $(cat err)"
grep -qE '"deaths": [1-9]' out || fail "an endless guest was not counted"

[ "$bad" -eq 0 ] && echo "all modules ran, or were stopped"
exit "$bad"
