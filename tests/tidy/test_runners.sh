#!/usr/bin/env bash
# golden.sh and readme.sh themselves, with a shell script in the place of fsim, and check.h: what must pass passes, and
# every kind of difference is seen.
#   test_runners.sh SOURCE_DIR
set -euo pipefail
source=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

printf '#!/bin/sh\necho "out $*"\necho err >&2\nmkdir -p made && : >made/file\nexit ${CODE-0}\n' >"$scratch/fsim"
chmod +x "$scratch/fsim"

fresh() { rm -rf "$scratch/case"; mkdir "$scratch/case"; echo '"$FSIM" a' >"$scratch/case/cmd"; }
write() { printf '%b' "$2" >"$scratch/case/$1"; }
expect() { # expect WANTED_STATUS NAME [WORDS]
    local status=0 out
    out=$("$source/tests/support/golden.sh" "$scratch/fsim" "$scratch/case" 2>&1) || status=$?
    if [ "$status" -eq "$1" ] && grep -qF -- "${3-}" <<<"$out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $2: status $status: $out"
    fi
}

fresh; expect 0 "nothing expected"
fresh; write stdout.exact 'out a\n'; write stderr.exact 'err\n'; write files 'made/file\n!absent\n'; expect 0 "all as expected"
fresh; write stdout.exact 'out b\n'; expect 1 "stdout differs" '+out a'
fresh; write stderr.exact ''; expect 1 "stderr differs" '+err'
fresh; write stdout.glob 'o*a\n'; expect 0 "glob"
fresh; write stdout.glob 'o*b\n'; expect 1 "glob line missing" 'line 1'
fresh; write stdout.glob ''; expect 1 "glob with too much" 'more than was expected'
fresh; write cmd '"$FSIM" "x[1].y"; "$FSIM" b; "$FSIM" c'; write stdout.glob '...\nout x[1].y\n...\nout c\n'; expect 0 "glob with lines left out"
fresh; write cmd '"$FSIM" "x11.y"'; write stdout.glob 'out x[1].y\n'; expect 1 "only * is special" 'line 1'
fresh; write cmd 'CODE=3 "$FSIM" a'; expect 1 "exit status" 'exit status 3, expected 0'
fresh; write cmd 'CODE=3 "$FSIM" a'; write exit '3\n'; expect 0 "expected exit status"
fresh; write files 'made/other\n'; expect 1 "file missing" 'missing: made/other'
fresh; write files '!made/f*\n'; expect 1 "file left behind" 'left behind'
fresh; write cmd 'CODE=4 "$FSIM" a'; FSIM_UPDATE=1 expect 0 "update"; expect 0 "updated case passes"
if [ "$(cat "$scratch/case/exit")" != 4 ] || [ "$(cat "$scratch/case/stdout.exact")" != "out a" ]; then
    echo "FAIL update wrote something else"
    failed=$((failed + 1))
fi

readme() { # readme WANTED_STATUS NAME TEXT WORDS
    local status=0 out
    printf '%b' "$3" >"$scratch/doc.md"
    out=$("$source/tests/support/readme.sh" "$scratch" "$scratch/doc.md" 2>&1) || status=$?
    if [ "$status" -eq "$1" ] && grep -qF -- "$4" <<<"$out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $2: status $status: $out"
    fi
}
readme 0 "commands run" '```sh\n$ fsim a\nout a\n$ build/release/fsim \\\\\n  b\n```\n```c\nfalse\n```\n' '2 commands ran'
readme 1 "failing command" '```sh\nfsim a\nfalse\n```\n' 'FAIL false'
readme 1 "script that is not there" '```sh\nscripts/test_nothing\n```\n' 'not there'

harness() { # harness WANTED_STATUS WORDS BODY_OF_A_TEST
    local status=0 out
    printf '#include "tests/support/check.h"\nstatic void test_it(void) { %s; }\nint main(void) { RUN(test_it); return check_done(); }\n' \
        "$3" >"$scratch/test.c"
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -I "$source" "$scratch/test.c" -o "$scratch/test" -lm
    out=$("$scratch/test") || status=$?
    if [ "$status" -eq "$1" ] && grep -qF -- "$2" <<<"$out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $3: status $status: $out"
    fi
}
harness 0 '1 passed' 'CHECK(1 < 2); CHECK_EQ_INT(-1, -1); CHECK_EQ_STR("a", "a"); CHECK_NEAR(1.0, 1.1, 0.2); CHECK_CONTAINS("abc", "b")'
harness 1 '1 > 2 is false' 'CHECK(1 > 2)'
harness 1 '= 3, expected' 'CHECK_EQ_INT(1 + 2, 4)'
harness 1 '"b"' 'CHECK_EQ_STR("a", "b")'
harness 1 '(null)' 'CHECK_EQ_STR(NULL, "b")'
harness 1 'off by' 'CHECK_NEAR(1.0, 1.3, 0.2)'
harness 1 'expected' 'CHECK_NEAR(NAN, 1.3, 0.2)'
harness 1 'to contain' 'CHECK_CONTAINS("abc", "x")'
harness 1 '[row 3]' 'check_context("row %d", 3); CHECK(0)'
harness 1 '1 failed' 'REQUIRE(0); abort()'
harness 77 'skip: why' 'SKIP("why")'

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
