#!/usr/bin/env bash
# The include law of sim/README.md: each folder includes only what its row allows, each library stays in its place.
#   scripts/check_layers.sh [ROOT]
set -euo pipefail
root=${1:-$(dirname "$0")/..}
cd "$root"

find sim policies workloads tests -name '*.[ch]' | LC_ALL=C sort |
    { xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include' || true; } |
    awk -v law=sim/README.md '
    function fail(text) { print text; bad = 1 }
    # The words between backquotes in a cell.
    function words(cell, out,    n) {
        n = 0
        while (match(cell, /`[^`]+`/)) {
            out[++n] = substr(cell, RSTART + 1, RLENGTH - 2)
            cell = substr(cell, RSTART + RLENGTH)
        }
        return n
    }
    # A pattern in which only "*" is special, as a regular expression.
    function as_regex(glob) { gsub(/[.]/, "[.]", glob); gsub(/[*]/, ".*", glob); return "^" glob "$" }
    BEGIN {
        FS = "|"
        while ((getline line < law) > 0) {
            split(line, cell, "|")
            if (line ~ /^\| folder \| may also include/) { part = "folder"; continue }
            if (line ~ /^\| library header \| only in/) { part = "library"; continue }
            if (line !~ /^\|/) { part = ""; continue }
            if (part == "" || words(cell[2], left) != 1) continue
            n = words(cell[3], right)
            for (i = 1; i <= n; i++) allowed[left[1], i] = right[i]
            count[left[1]] = n
            if (part == "folder") folders[++folder_count] = left[1]; else libraries[++library_count] = left[1]
        }
        if (folder_count < 10 || library_count < 3) fail("the tables of " law " were not found")
    }
    {
        split($0, at, ":")
        file = at[1]; place = at[1] ":" at[2]
        if (!match($0, /["<][^">]+[">]/)) next
        quoted = substr($0, RSTART, 1) == "\""
        header = substr($0, RSTART + 1, RLENGTH - 2)
        for (i = 1; i <= library_count; i++) {
            if (index(header, libraries[i]) != 1) continue
            ok = 0
            for (j = 1; j <= count[libraries[i]]; j++) ok = ok || file ~ as_regex(allowed[libraries[i], j])
            if (!ok) fail(place ": <" header "> has no place here")
        }
        if (!quoted) next
        folder = ""
        for (i = 1; i <= folder_count; i++) if (index(file, folders[i] "/") == 1) folder = folders[i]
        if (folder == "") { fail(place ": no row in " law " for this folder"); next }
        own = folder; sub(/^sim\//, "", own)
        ok = index(header, own "/") == 1
        for (j = 1; j <= count[folder]; j++) ok = ok || index(header, allowed[folder, j]) == 1
        # Tests may name a neighbour in the same folder.
        near = file; sub(/[^\/]*$/, header, near)
        ok = ok || (folder == "tests" && header !~ /\// && (getline line < near) >= 0)
        if (!ok) fail(place ": " folder " may not include \"" header "\"")
    }
    END { exit bad }'
