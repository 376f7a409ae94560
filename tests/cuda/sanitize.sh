#!/bin/sh
# All that a GPU runs, under compute-sanitizer: the backend's matrix, golden cases, proofs on a device, and a whole small
# proof by the binary. 77 (skipped) without the tool or a GPU; else each program that fails is named.
#   sanitize.sh TOOL memcheck|racecheck|synccheck PROVERUN VECTORS TEST...
# A TEST named test_identity runs golden cases, which it is given. PROVERUN_TEST_PROOFS (default here: 20) is how many
# proofs test_cuda_device looks for leaks in.
set -u
tool=$1 check=$2 proverun=$3 vectors=$4
shift 4
[ -x "$tool" ] || { echo "no compute-sanitizer"; exit 77; }
gpu=$("$proverun" version | sed -n 's/^gpu: //p')
case $gpu in '' | none*) echo "no GPU: $gpu" && exit 77 ;; esac
export PROVERUN_TEST_BACKEND=cuda PROVERUN_TEST_PROOFS="${PROVERUN_TEST_PROOFS:-20}"
D=$(mktemp -d "${TMPDIR:-/tmp}/proverun-sanitize-XXXXXX")
trap 'rm -rf "$D"' EXIT
leaks=
[ "$check" = memcheck ] && leaks='--leak-check full'
failed=0
sanitized() { # PROGRAM ARGUMENT...
    # shellcheck disable=SC2086
    "$tool" --tool "$check" $leaks --error-exitcode 9 "$@"
    code=$?
    [ $code = 0 ] && return
    echo "FAILED: $check of $(basename "$1"): exit code $code"
    failed=1
}
for test in "$@"; do
    case $test in
    */test_identity)
        sanitized "$test" cuda --least-device-memory "$vectors/plonk_l6.json" "$vectors/mixed_sizes_4_6_8.json" \
            "$vectors/wide_fibonacci_l7_c20_fold2.json" "$vectors/xor4_l7.json"
        ;;
    *) sanitized "$test" ;;
    esac
done
sanitized "$proverun" prove "$vectors/xor4_l7.json" --out "$D/proof" --backend cuda
[ -s "$D/proof" ] || { echo "FAILED: no proof"; failed=1; }
exit $failed
