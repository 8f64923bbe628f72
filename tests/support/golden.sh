#!/usr/bin/env bash
# Runs one golden case and compares what it said and left behind.
#   golden.sh FSIM CASE_DIR
# CASE_DIR holds
#   cmd            one shell line (or a few) that calls "$FSIM"; runs in a scratch copy of the case, where workloads/ and
#                  policies/ of the source tree are at hand
#   stdout.exact   what must come out, byte by byte        } at most one of the two; neither: not compared
#   stdout.glob    the same with "*" for any characters in a line and "..." for any lines }
#   stderr.exact, stderr.glob
#   exit           the exit status; default 0
#   files          paths that must exist afterwards, one a line; "!path": must not exist. Wildcards allowed
#   and whatever files the command reads
# FSIM_UPDATE=1 rewrites stdout.exact, stderr.exact and exit to what happened, and creates them in a case without any.
set -euo pipefail
export LC_ALL=C TZ=UTC
unset COLUMNS NO_COLOR CLICOLOR_FORCE

[ $# -eq 2 ] || { echo "usage: golden.sh FSIM CASE_DIR" >&2; exit 2; }
FSIM=$(realpath "$1")
case_dir=$(realpath "$2")
source=$(realpath "$(dirname "$0")/../..")
export FSIM

scratch=$(mktemp -d)
trap 'chmod -R u+rwx "$scratch"; rm -rf "$scratch"' EXIT
work=$scratch/work
cp -R "$case_dir" "$work"
chmod -R u+w "$work"
for shared in workloads policies; do
    [ -e "$work/$shared" ] || ln -s "$source/$shared" "$work/$shared"
done
# What is expected is not an input.
rm -f "$work"/{cmd,exit,files} "$work"/std{out,err}.{exact,glob}

status=0
(cd "$work" && bash -c "$(cat "$case_dir/cmd")") </dev/null >"$scratch/stdout" 2>"$scratch/stderr" || status=$?

bad=0
complain() {
    [ "$bad" -ne 0 ] || printf 'case %s\n$ %s\n' "$(basename "$case_dir")" "$(cat "$case_dir/cmd")"
    bad=1
    printf '%s\n' "$1"
}

# glob_match PATTERN_FILE TEXT_FILE: says the first line of the pattern that nothing matches.
glob_match() {
    awk '
    function as_regex(line) {
        gsub(/[][\\.^$+?(){}|]/, "\\\\&", line)
        gsub(/[*]/, ".*", line)
        return "^" line "$"
    }
    FILENAME == ARGV[1] { pattern[++np] = $0; next }
    { text[++nt] = $0 }
    # reach[j]: the pattern so far matches the first j lines.
    END {
        reach[0] = 1
        for (i = 1; i <= np; i++) {
            any = 0; split("", next_reach)
            for (j = 0; j <= nt; j++) {
                if (pattern[i] == "...") next_reach[j] = reach[j] || (j > 0 && next_reach[j - 1])
                else next_reach[j] = j > 0 && reach[j - 1] && text[j] ~ as_regex(pattern[i])
                any = any || next_reach[j]
            }
            if (!any) { print "line " i " of the expectation is not there: " pattern[i]; exit 1 }
            for (j = 0; j <= nt; j++) reach[j] = next_reach[j]
        }
        if (!reach[nt]) { print "there is more than was expected"; exit 1 }
    }' "$1" "$2"
}

for stream in stdout stderr; do
    exact=$case_dir/$stream.exact glob=$case_dir/$stream.glob actual=$scratch/$stream
    if [ -n "${FSIM_UPDATE-}" ] && [ ! -f "$glob" ] && { [ -f "$exact" ] || [ -s "$actual" ]; }; then
        cmp -s "$exact" "$actual" || { cp "$actual" "$exact"; echo "wrote $(basename "$case_dir")/$stream.exact"; }
    elif [ -f "$exact" ] && ! cmp -s "$exact" "$actual"; then
        complain "$stream differs (- expected, + found):"
        diff -u "$exact" "$actual" | tail -n +3 | head -n 60 || true
    fi
    if [ -f "$glob" ] && ! why=$(glob_match "$glob" "$actual"); then
        complain "$stream does not match: $why"
        head -n 60 "$actual" | sed 's/^/    /'
    fi
done

expected=0
[ ! -f "$case_dir/exit" ] || expected=$(tr -d '[:space:]' <"$case_dir/exit")
if [ "$status" != "$expected" ]; then
    if [ -n "${FSIM_UPDATE-}" ]; then
        rm -f "$case_dir/exit"
        [ "$status" -eq 0 ] || echo "$status" >"$case_dir/exit"
        echo "wrote $(basename "$case_dir")/exit"
    else
        complain "exit status $status, expected $expected; standard error:"
        head -n 40 "$scratch/stderr" | sed 's/^/    /'
    fi
fi

if [ -f "$case_dir/files" ]; then
    while read -r path; do
        case "$path" in
            "") ;;
            !*) ! compgen -G "$work/${path#!}" >/dev/null || complain "left behind: ${path#!}" ;;
            *) compgen -G "$work/$path" >/dev/null || complain "missing: $path" ;;
        esac
    done <"$case_dir/files"
fi
exit "$bad"
