#!/usr/bin/env bash
# Every header compiles alone and twice: it includes what it uses and has a guard.
#   scripts/check_headers.sh [ROOT]
# The compiler is $CC, or cc.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

flags=(-std=c11 -D_GNU_SOURCE -Isim -I. -Itests -Wall -Wextra -Wpedantic -Wconversion -Wundef -Werror -fsyntax-only -x c)
# shellcheck disable=SC2046 # the flags are words
flags+=($(pkg-config --cflags gsl jansson))
bad=0
for header in $(find sim policies workloads tests -name '*.h' | LC_ALL=C sort); do
    if ! printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" | "${CC:-cc}" "${flags[@]}" - ; then
        echo "$header: does not compile alone"
        bad=1
    fi
done
exit "$bad"
