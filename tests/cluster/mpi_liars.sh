#!/bin/sh
# mpi_liars.sh MPI_LIARS PROVERUN: each kind of lie, with as many liars as can be borne: one of 4; two of 7 and three of 10
# with PROVERUN_TEST_LONG.
set -eu
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_btl_vader_single_copy_mechanism=none
folder=$(mktemp -d "${TMPDIR:-/tmp}/proverun-liars-XXXXXX")
trap 'rm -rf "$folder"' EXIT
sizes=4
[ -z "${PROVERUN_TEST_LONG:-}" ] || sizes='4 7 10'
for n in $sizes; do
    for kind in invalid contrary equivocates silent late floods replays; do
        mkdir "$folder/$n-$kind"
        if ! mpirun -n "$n" "$1" "$2" "$folder/$n-$kind" $kind $(((n - 1) / 3)) >"$folder/out" 2>"$folder/err"; then
            echo "FAILED: $kind, $n ranks"
            tail -n 40 "$folder/err"
            exit 1
        fi
        if ! "$2" audit "$folder/$n-$kind"/*.h5 >"$folder/audit"; then
            echo "FAILED: the audit of $kind, $n ranks"
            cat "$folder/audit"
            exit 1
        fi
        case $kind in
        contrary) grep -q '; removed for wrong_vote, evidence holds' "$folder/audit" ;;
        equivocates) grep -q '; removed for [a-z_]*, evidence holds' "$folder/audit" ;;
        invalid) grep -q '; removed for invalid_proof' "$folder/audit" ;;
        *) ! grep -q '; removed' "$folder/audit" ;;
        esac || {
            echo "FAILED: the audit of $kind, $n ranks, names others"
            cat "$folder/audit"
            exit 1
        }
        echo "$kind, $n ranks: $(grep -c 'is removed' "$folder/err" || true) lines of removals"
    done
done
