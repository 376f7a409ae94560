#!/bin/sh
# A case of the size of real AIRs, from the file to a verified proof: checked, proven by itself and as an air job with
# `check: full`, verified; then refused for one wrong cell.
#   large_air.sh PROVERUN MAKE_LARGE_AIR small|middle|large [SEED]
set -u
PROVERUN=$1 MAKE=$2 size=$3 seed=${4:-7}
folder=$(mktemp -d "${TMPDIR:-/tmp}/proverun-large-XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder" || exit 1
export TMPDIR="$folder" # Open MPI's session folders: nobody else's

fail() {
    echo "large_air.sh: seed $seed: $*" >&2
    cat out err >&2 2>/dev/null
    exit 1
}
expect() { # EXIT-CODE COMMAND...
    wanted=$1
    shift
    "$@" >out 2>err
    got=$?
    [ "$got" -eq "$wanted" ] || fail "'$*' ended with $got, not $wanted"
}
says() { grep -q -e "$2" "$1" || fail "no '$2' in $1"; } # FILE PATTERN

expect 0 "$MAKE" . "$seed" "$size"
cat >m.yaml <<'END'
version: 1
name: large
defaults: { profile: fast }
jobs:
  - { id: large, type: air, params: { case: large.json, check: full } }
END
# Tuples are counted one by one there, in memory: not of the large ones.
if [ "$size" = small ]; then
    expect 0 "$PROVERUN" check large.json
    says out '^all hold: 500 constraints'
fi
expect 0 "$PROVERUN" run m.yaml --results results
says err 'large *self_verified'
expect 0 "$PROVERUN" verify results/*.h5 --inputs .
[ "$size" = small ] || exit 0

expect 0 "$PROVERUN" prove large.json --out envelope.json
expect 0 "$PROVERUN" verify large.json envelope.json
# Another seed has other numbers under the same statement, but for the constraints' constants: its trace is no trace here.
mkdir other
expect 0 "$MAKE" other $((seed + 1)) "$size"
mv other/large.h5 large.h5
expect 1 "$PROVERUN" check large.json
says out 'component c0, constraint 0'
expect 1 "$PROVERUN" run m.yaml --results others
says err "component 'c0', constraint 0, row"
