#!/usr/bin/env bash
# The checks themselves: each must let a clean tree pass and find the one offence planted in it.
#   test_checks.sh SOURCE_DIR
set -euo pipefail
source=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# plant NAME FILE TEXT WORDS COMMAND…: with FILE the command fails and says WORDS, without it passes.
plant() {
    local name=$1 file=$2 text=$3 words=$4 out
    shift 4
    rm -rf "$scratch/tree"
    mkdir -p "$scratch/tree"/{sim/base,sim/core,policies/scaling,workloads,tests,scripts}
    cp "$source/sim/README.md" "$scratch/tree/sim/"
    cp "$source/.clang-format" "$scratch/tree/"
    printf '/* Clean. */\n#ifndef CLEAN_H\n#define CLEAN_H\n#endif\n' >"$scratch/tree/sim/base/clean.h"
    if ! out=$("$@" 2>&1); then
        echo "FAIL $name: refuses a clean tree: $out"
        failed=$((failed + 1))
        return
    fi
    mkdir -p "$(dirname "$scratch/tree/$file")"
    printf '%b' "$text" >"$scratch/tree/$file"
    if out=$("$@" 2>&1); then
        echo "FAIL $name: does not see it"
        failed=$((failed + 1))
    elif ! grep -qF -- "$words" <<<"$out"; then
        echo "FAIL $name: does not say \"$words\": $out"
        failed=$((failed + 1))
    else
        echo "ok   $name"
        passed=$((passed + 1))
    fi
}

layers=("$source/scripts/check_layers.sh" "$scratch/tree")
plant "layer below looks up" sim/base/a.c '#include "model/run.h"\n' 'sim/base/a.c:1' "${layers[@]}"
plant "policy sees the engine" policies/scaling/a.c '#include "base/time.h"\n#include "model/run.h"\n' 'a.c:2' "${layers[@]}"
plant "library out of place" sim/core/a.c '#include <jansson.h>\n' '<jansson.h> has no place here' "${layers[@]}"

tidy() { "$source/scripts/check_tidy.sh" --root "$scratch/tree" "$@"; }
plant "unbounded copy" sim/base/a.c 'void f(char *a, char *b) { strcpy(a, b); }\n' 'a.c:1' tidy calls
plant "wall clock" sim/core/a.c 'long f(void) {\n    return time(0);\n}\n' 'a.c:2' tidy calls
plant "random numbers" policies/scaling/a.c 'int f(void) { return rand(); }\n' 'base/rng.h' tidy calls
plant "library prints" sim/base/a.c 'void f(void) { printf("x"); }\n' 'never prints' tidy calls
plant "floating kernel" sim/core/a.c 'double f(void);\n' 'integers' tidy calls
plant "left-over" sim/base/a.c '/* TO''DO */\n' 'a.c:1' tidy leftovers
plant "two of a name" sim/core/clean.h '/* twin */\n' 'same name as' tidy names
plant "long file" sim/base/a.c "$(printf '%701s' '' | sed 's/ /\\n/g')" '701 lines' tidy length
plant "machine path" sim/base/a.c '/* /ho''me/someone */\n' 'no paths' tidy paths
plant "trailing blank" sim/base/a.c 'int f(void); \n' 'trailing' tidy text
plant "no newline" sim/base/a.c 'int f(void);' 'no newline' tidy text
plant "shell syntax" scripts/a.sh '#!/bin/sh\nif\n' 'syntax' tidy text
if command -v clang-format >/dev/null 2>&1; then
    plant "format" sim/base/a.c 'int   f(void);\n' 'clang-format' tidy format
fi

plant "header that needs another" sim/base/a.h '#ifndef A_H\n#define A_H\nsize_t f(void);\n#endif\n' \
    'sim/base/a.h: does not compile alone' "$source/scripts/check_headers.sh" "$scratch/tree"
plant "header without a guard" sim/base/a.h 'struct a {\n    int b;\n};\n' \
    'sim/base/a.h: does not compile alone' "$source/scripts/check_headers.sh" "$scratch/tree"

# An archive with a writable global and a kernel function that allocates.
globals() { build_archive && "$source/scripts/check_symbols.sh" globals "$scratch/x.a"; }
mallocs() { build_archive && "$source/scripts/check_symbols.sh" malloc "$scratch/x.a"; }
build_archive() {
    rm -rf "$scratch/x.a" "$scratch/objects"
    mkdir "$scratch/objects"
    local object
    for object in $(grep -v '^#' "$source/tests/tidy/allocators.txt" | cut -d' ' -f1); do
        printf 'extern const char *const names[];\nconst char *const names[] = {"a"};\n' >"$scratch/objects/$object"
        [ ! -f "$scratch/tree/planted.c" ] || cat "$scratch/tree/planted.c" >>"$scratch/objects/$object"
        (cd "$scratch/objects" && "${CC:-cc}" -O2 -fPIC -c "$object" -o "$object.o")
    done
    ar rc "$scratch/x.a" "$scratch"/objects/*.o
}
plant "writable global" planted.c 'static int hidden;\nint count(void) { return ++hidden; }\n' 'hidden is writable' globals
plant "allocation in the kernel" planted.c '#include <stdlib.h>\nvoid *hot(void) { return malloc(8); }\n' 'hot calls malloc' mallocs

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
