#!/usr/bin/env bash
# A gate on speed that a noisy machine does not disturb: the instructions of the simulator on fixed cases, counted by
# callgrind, within 3 % of tests/bench/instructions.txt.
#   scripts/check_instructions.sh FSIM [--update]
# Each line of the expectation: requests, instructions per request, and the arguments of fsim. The count of a run of the
# case with one request (--set workload.requests=1) is taken off: starting up is not what is measured. Only meaningful for
# the Release build of the compiler named on the first line; others skip. Exit status 77: skipped, with the reason.
set -euo pipefail
fsim=$(realpath "$1")
cd "$(dirname "$0")/.."
table=tests/bench/instructions.txt
tolerance_percent=3

skip() { echo "skip: $1"; exit 77; }
command -v valgrind >/dev/null 2>&1 || skip "valgrind is not installed"
[ -f "$table" ] || skip "$table is not there"
wanted=$(sed -n 's/^# compiler: //p' "$table")
found=$(readelf -p .comment "$fsim" 2>/dev/null | sed -n 's/.*\(GCC\|clang\)[^0-9]*\([0-9]*\)\..*/\1 \2/p' | sort -u | tail -n 1)
[ "$wanted" = "$found" ] || skip "counts are for $wanted, this is built by ${found:-an unknown compiler}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

count() { # instructions of one run
    valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$fsim" "$@" --quiet --out "$scratch/results" >"$scratch/stdout" 2>"$scratch/stderr" ||
        { cat "$scratch/stderr" >&2; return 1; }
    sed -n 's/^summary: *\([0-9]*\).*/\1/p; s/^totals: *\([0-9]*\).*/\1/p' "$scratch/out" | tail -n 1
}

cp "$table" "$scratch/expected"
bad=0
while read -r requests expected arguments; do
    case "$requests" in "#"* | "") continue ;; esac
    # shellcheck disable=SC2086 # the arguments are words
    full=$(count $arguments --set "workload.requests=$requests")
    # shellcheck disable=SC2086
    empty=$(count $arguments --set workload.requests=1)
    each=$(awk -v f="$full" -v e="$empty" -v n="$requests" 'BEGIN { printf "%.1f", (f - e) / (n - 1) }')
    echo "$each instructions per request, expected $expected: fsim $arguments"
    if [ "${2-}" = --update ]; then
        awk -v a="$arguments" -v each="$each" 'index($0, a) && $1 !~ /^#/ { $2 = each } { print }' "$table" >"$scratch/table"
        cp "$scratch/table" "$table"
    elif ! awk -v x="$each" -v y="$expected" -v t="$tolerance_percent" \
        'BEGIN { d = x - y; if (d < 0) d = -d; exit !(d <= y * t / 100) }'; then
        echo "off by more than $tolerance_percent %; a change that is meant: scripts/check_instructions.sh FSIM --update"
        bad=1
    fi
done <"$scratch/expected"
exit "$bad"
