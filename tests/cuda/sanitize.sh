#!/bin/sh
# The backend's matrix on a GPU under compute-sanitizer; 77 (skipped) without the tool or a GPU.
#   sanitize.sh TOOL memcheck|racecheck|synccheck PROVERUN TEST...
set -u
tool=$1 check=$2 proverun=$3
shift 3
[ -x "$tool" ] || exit 77
"$proverun" version | grep -q '^gpu: none' && exit 77
export PROVERUN_TEST_BACKEND=cuda
failed=0
for test in "$@"; do
    "$tool" --tool "$check" --error-exitcode 9 "$test" || failed=1
done
exit $failed
