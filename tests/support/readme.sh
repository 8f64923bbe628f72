#!/usr/bin/env bash
# Runs every command of a document: the lines of its ```sh blocks, in order, in a scratch copy of the tree. A block with
# prompts counts only the lines that begin with "$ "; a trailing backslash continues a line. The lines below such a
# command, if there are any, are what it prints. Exit status 1 at the first command that fails or prints something else.
#   readme.sh BUILD_DIR DOCUMENT
# Commands that fetch, install, build or test the project itself are not run inside a test of it; a script they name must
# exist and be executable. The build folder stands in for build/release and is first in PATH.
set -euo pipefail
export LC_ALL=C TZ=UTC
[ $# -eq 2 ] || { echo "usage: readme.sh BUILD_DIR DOCUMENT" >&2; exit 2; }
build=$(realpath "$1")
document=$(realpath "$2")
source=$(realpath "$(dirname "$0")/../..")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/fsim/build" "$scratch/fsim/results"
for entry in "$source"/* ; do
    case "${entry##*/}" in
        build | results) ;;
        *) cp -R "$entry" "$scratch/fsim/" ;;
    esac
done
ln -s "$build" "$scratch/fsim/build/release"
export PATH="$build:$PATH"
cd "$scratch/fsim"

# "$ command", then what it prints, each line behind "> ".
commands() {
    awk '
    /^ *```/ {
        if (open) {
            for (i = 1; i <= n; i++) {
                if (line[i] ~ /^\$ /) print line[i]
                else if (prompts) print "> " line[i]
                else if (line[i] !~ /^[[:space:]]*(#|$)/) print "$ " line[i]
            }
            open = 0
        }
        else if ($0 ~ /^ *```sh([[:space:]]|$)/) { open = 1; n = 0; prompts = 0; joined = "" }
        next
    }
    open {
        text = joined $0; joined = ""
        if (text ~ /\\$/) { sub(/\\$/, "", text); joined = text; next }
        if (text ~ /^\$ /) prompts = 1
        line[++n] = text
    }' "$document"
}

# Runs $command, and holds what it prints against $shown, where the document shows something.
run() {
    local script
    case "$command" in
        "git clone"* | "cd "* | *"apt-get "* | *"apt install"* | "cmake "* | "ctest "* | *scripts/setup* | *scripts/demo* | \
        *scripts/test* | *.ci/run* | *"tests/support/golden.sh"* | *FSIM_UPDATE=*)
            script=$(grep -oE '(scripts|\.ci)/[a-z_]+(\.sh)?' <<<"$command" | head -n 1 || true)
            if [ -n "$script" ] && [ ! -x "$source/$script" ]; then
                echo "FAIL $command: $script is not there or not executable"
                exit 1
            fi
            echo "not run: $command"
            return
            ;;
    esac
    if ! bash -o pipefail -c "$command" </dev/null >"$scratch/out" 2>"$scratch/err"; then
        echo "FAIL $command"
        tail -n 40 "$scratch/out" "$scratch/err" | sed 's/^/    /'
        exit 1
    fi
    if [ -n "$shown" ] && ! diff -u --label shown --label printed <(printf '%s' "$shown") "$scratch/out" >"$scratch/diff"; then
        echo "FAIL $command"
        sed 's/^/    /' "$scratch/diff"
        exit 1
    fi
    echo "ok   $command"
    ran=$((ran + 1))
}

ran=0
command=
shown=
while IFS= read -r line; do
    case "$line" in
        '$ '*)
            [ -z "$command" ] || run
            command=${line#'$ '}
            shown=
            ;;
        *) shown+=${line#> }$'\n' ;;
    esac
done < <(commands)
[ -z "$command" ] || run
echo "$ran commands ran"
