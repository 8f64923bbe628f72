#!/usr/bin/env bash
# House rules that a compiler does not know. One check by name, or all:
#   scripts/check_tidy.sh [--root DIR] [format|calls|leftovers|names|length|paths|text]...
# Prints place and rule for every offence; exit status 1 if there is one.
set -euo pipefail
shopt -s lastpipe # offend, at the end of pipelines, sets a variable of this shell

root=$(dirname "$0")/..
if [ "${1-}" = --root ]; then
    root=$2
    shift 2
fi
cd "$root"
bad=0

# Files of the project: what git knows or would add; in a tree without git, everything but what is built.
list() {
    if [ -e .git ]; then
        git ls-files -co --exclude-standard -- "$@" | while read -r f; do [ ! -f "$f" ] || echo "$f"; done
    else
        find . -path ./build -prune -o -path ./results -prune -o -type f -print | sed 's#^\./##' |
            while read -r f; do [ $# -gt 0 ] || echo "$f"; for p in "$@"; do case "$f" in $p) echo "$f"; break ;; esac; done; done
    fi | LC_ALL=C sort -u
}

sources() { list '*.c' '*.h'; }

# Reads "place: text" lines; any is an offence against the rule named.
offend() {
    local found
    found=$(cat)
    if [ -n "$found" ]; then
        printf '%s\n' "$found" | awk -v rule="$1" '{ print $0 "   <- " rule }'
        bad=1
    fi
}

# C without comments and string literals, lines kept: "file:line:code".
code_of() {
    awk '
    FNR == 1 { inside = 0 }
    {
        line = $0
        gsub(/\\./, "", line)
        if (!inside) gsub(/"[^"]*"/, "\"\"", line)
        out = ""
        while (line != "") {
            if (inside) {
                end = index(line, "*/")
                if (end == 0) break
                line = substr(line, end + 2); inside = 0
            } else {
                start = index(line, "/*"); slash = index(line, "//")
                if (slash > 0 && (start == 0 || slash < start)) { out = out substr(line, 1, slash - 1); break }
                if (start == 0) { out = out line; break }
                out = out substr(line, 1, start - 1) " "; line = substr(line, start + 2); inside = 1
            }
        }
        print FILENAME ":" FNR ":" out
    }' "$@"
}

check_format() {
    if ! command -v clang-format >/dev/null 2>&1; then
        echo "skip: clang-format is not installed"
        return
    fi
    sources | xargs -r clang-format --dry-run -Werror 2>&1 | grep 'error:' | offend "clang-format -i FILE" || true
}

calls_in() { # calls_in RULE WORDS FILES…
    local rule=$1 words=$2
    shift 2
    [ $# -eq 0 ] && return
    code_of "$@" | grep -E ":[0-9]+:.*(^|[^A-Za-z0-9_.>])($words)[[:space:]]*\(" | offend "$rule" || true
}

check_calls() {
    mapfile -t all < <(sources)
    calls_in "unbounded or unchecked; use base/text.h or snprintf" \
        'sprintf|vsprintf|strcpy|strcat|stpcpy|gets|atoi|atol|atoll|atof|strtok|tmpnam|mktemp' "${all[@]}"
    mapfile -t ours < <(list 'sim/*.c' 'sim/*.h' 'policies/*.c' 'workloads/*.c' 'workloads/*.h')
    calls_in "randomness comes from base/rng.h" 'rand|srand|rand_r|random|srandom|drand48|erand48|getrandom' "${ours[@]}"
    # The programs may: the command, and the worker that runs Wasm modules.
    mapfile -t library < <(printf '%s\n' "${ours[@]}" | grep -vE '^sim/(cli|wasm/worker)/')
    calls_in "the library has no clock" \
        'time|clock|gettimeofday|clock_gettime|localtime|localtime_r|gmtime|gmtime_r|strftime' "${library[@]}"
    mapfile -t quiet < <(printf '%s\n' "${library[@]}" | grep -v '^sim/base/error\.c$')
    calls_in "the library never prints and never exits" \
        'printf|vprintf|puts|putchar|perror|exit|_exit|quick_exit|abort' "${quiet[@]}"
    mapfile -t core < <(list 'sim/core/*.c' 'sim/core/*.h')
    [ ${#core[@]} -eq 0 ] || code_of "${core[@]}" | grep -wE 'double|float' | offend "the kernel counts in integers" || true
}

check_leftovers() {
    # Spelt in pieces, or this line would find itself.
    local words="TO""DO|FIX""ME|XX""X|HA""CK|not imple""mented|simplified"" for now"
    list '*.c' '*.h' '*.cmake' 'CMakeLists.txt' '*.md' '*.json' 'scripts/*' 'tests/support/*' |
        xargs -r grep -nIwE "$words" | offend "finish it or open an issue" || true
}

check_names() {
    # Two files of one name make messages and stack traces ambiguous. Every program may have its main.c, and a policy is
    # named within its kind. Wasm guests are programs of their own.
    sources | grep -vE '/main\.c$|^policies/|^workloads/wasm/' | awk -F/ '$NF in first { print $0 ": same name as " first[$NF] }
        !($NF in first) { first[$NF] = $0 }' | offend "file names are unique in the tree" || true
    list '*.c' '*.h' | grep -E '[^a-z0-9_/.]' | offend "lower case and underscores" || true
}

check_length() {
    sources | xargs -r wc -l | awk '$2 != "total" && $1 > 700 { print $2 ": " $1 " lines" }' |
        offend "at most 700 lines" || true
}

check_paths() {
    list | xargs -r -d '\n' grep -nIE '(^|[^[:alnum:]_.])/(work|farm|home|root)/[[:alnum:]]' |
        offend "no paths of one machine" || true
}

check_text() {
    local f
    list '*.c' '*.h' '*.md' '*.json' '*.cmake' 'CMakeLists.txt' 'scripts/*' | grep -vE '^tests/(golden|fuzz)/' | while read -r f; do
        grep -nHE '[[:blank:]]+$' "$f" | sed 's/$/: trailing blank/' || true
        [ ! -s "$f" ] || [ -z "$(tail -c 1 "$f")" ] || echo "$f: no newline at the end"
    done | offend "plain text" || true
    list 'scripts/*' 'tests/*.sh' '.ci/run' | while read -r f; do
        case "$(head -n 1 "$f")" in
            *bash) bash -n "$f" 2>&1 || true ;;
            '#!/bin/sh') sh -n "$f" 2>&1 || true ;;
        esac
    done | offend "shell syntax" || true
}

[ $# -gt 0 ] || set -- format calls leftovers names length paths text
for check in "$@"; do
    case "$check" in
        format | calls | leftovers | names | length | paths | text) "check_$check" ;;
        *) echo "check_tidy: no check \"$check\" (format calls leftovers names length paths text)" >&2; exit 2 ;;
    esac
done
exit "$bad"
