#!/usr/bin/env bash
# What the object code of the library says about two promises:
#   globals    nothing in the archive is writable: runs share no state, threads cannot disturb one another
#   malloc     kernel objects allocate only in the functions that tests/tidy/allocators.txt names
#   scripts/check_symbols.sh globals|malloc LIBFSIM.A
# Needs machine code in the archive: gcc's fat objects or a build without LTO and sanitizers. Exit status 77: cannot tell.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
what=$1
archive=$2
table=$(dirname "$0")/../tests/tidy/allocators.txt

if ! command -v objdump >/dev/null 2>&1; then
    echo "skip: objdump is not installed"
    exit 77
fi
if ! objdump -f "$archive" 2>/dev/null | grep -c 'file format elf' >/dev/null; then
    echo "skip: no machine code in $archive"
    exit 77
fi

case "$what" in
    globals)
        # Sections that stay writable while the program runs; .data.rel.ro is const data with addresses in it.
        found=$(objdump -t "$archive" | awk '
            / file format / { object = $1; sub(/:$/, "", object) }
            / O / {
                for (i = 1; i <= NF; i++)
                    if ($i ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $i !~ /^\.data\.rel\.ro/)
                        print object ": " $NF " is writable (" $i ")"
            }')
        ;;
    malloc)
        found=$(objdump -dr --no-show-raw-insn "$archive" | awk -v table="$table" '
            BEGIN {
                while ((getline line < table) > 0) {
                    if (line ~ /^#/ || line == "") continue
                    n = split(line, word, " ")
                    watched[word[1] ".o"] = 1
                    for (i = 2; i <= n; i++) may[word[1] ".o", word[i]] = 1
                }
            }
            / file format / { object = $1; sub(/:$/, "", object); seen[object] = 1 }
            /^[0-9a-f]+ <.*>:$/ {
                name = $2; gsub(/[<>:]/, "", name)
                sub(/\.(part|isra|constprop|cold|localalias).*/, "", name)
            }
            /R_[A-Z0-9_]+/ && object in watched {
                callee = $NF; sub(/[-+]0x[0-9a-f]+$/, "", callee)
                if (callee ~ /^(malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign|strdup|strndup|mmap)$/ &&
                    !((object, name) in may) && !((object, name, callee) in told)) {
                    told[object, name, callee] = 1
                    print object ": " name " calls " callee
                }
            }
            END { for (object in watched) if (!(object in seen)) print table ": no object " object " in the archive" }')
        ;;
    *) echo "check_symbols: globals or malloc, not \"$what\"" >&2; exit 2 ;;
esac
[ -z "$found" ] || { printf '%s\n' "$found"; exit 1; }
