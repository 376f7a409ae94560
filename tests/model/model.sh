#!/bin/sh
# Checks round.pml with spin: the protocol keeps its promises, and each variant that leaves a rule out breaks them.
#   sh model.sh            exit 0: so it is; 1: it is not; 77: there is no spin or no C compiler (skipped)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cc=${CC:-cc}
command -v spin >/dev/null || { echo "skipped: no spin (Debian package spin)" && exit 77; }
command -v "$cc" >/dev/null || { echo "skipped: no C compiler $cc" && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

errors_of() { # [VARIANT]: explores every state, at most 1 GiB of them, and prints how many errors it met
    spin ${1:+-D$1} -a "$here/round.pml"
    "$cc" -O1 -w -DSAFETY -DCOLLAPSE -DMEMLIM=1024 -o pan pan.c
    ./pan -w20 -m10000 >pan.out
    grep -q 'Search not completed\|max search depth\|out of memory' pan.out && [ -z "$1" ] && cat pan.out >&2 && exit 1
    sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out
}

errors=$(errors_of "")
sed -n '/states, stored/p; /memory usage$/p; /elapsed/p' pan.out
[ "$errors" = 0 ] || { cat pan.out && exit 1; }
for variant in QUORUM_AT_LEAST ABSENCE_BINDS_NOT LOCK_FORGOTTEN RECORDS_LOST; do
    errors=$(errors_of $variant)
    [ "$errors" -gt 0 ] || { echo "$variant breaks nothing" && exit 1; }
    echo "$variant: breaks a promise, as it should"
done
