#!/bin/sh
# mpi_liars.sh MPI_LIARS PROVERUN: a removal that outlives its session; each kind of lie, with as many liars as can be borne: one of 4; two of 7 and three of 10
# with PROVERUN_TEST_LONG.
set -eu
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_btl_vader_single_copy_mechanism=none
folder=$(mktemp -d "${TMPDIR:-/tmp}/proverun-liars-XXXXXX")
trap 'rm -rf "$folder"' EXIT
export TMPDIR="$folder" # Open MPI's session folders: nobody else's
check_metrics() { # FILE
    [ -n "$promtool" ] || return 0
    if ! "$promtool" check metrics <"$1" >"$folder/out" 2>&1; then
        echo "FAILED: promtool refuses $1"
        cat "$folder/out"
        exit 1
    fi
}
check_tampered() { # PROVERUN FOLDER: evidence that was changed is named
    /usr/bin/python3 -c 'import h5py' 2>/dev/null || return 0
    for what in evidence evidence_attempt offender; do
        cp "$2"/liars-*.h5 "$folder/changed.h5"
        /usr/bin/python3 "$(dirname "$0")/../app/tamper_votes.py" "$folder/changed.h5" $what
        if "$1" verify "$folder/changed.h5" >"$folder/out" 2>&1 || ! grep -q '^bad: evidence 0 ' "$folder/out"; then
            echo "FAILED: $what was changed, and verify says"
            cat "$folder/out"
            exit 1
        fi
    done
}
promtool=$(command -v promtool) || echo 'SKIPPED: promtool check metrics (there is no promtool: package prometheus)'
sizes=4
kinds='invalid contrary equivocates silent late floods replays'
if [ -n "${PROVERUN_TEST_LONG:-}" ]; then
    sizes='4 7 10'
    kinds="$kinds random"
fi
session() { # MPI_LIARS PROVERUN KIND PART
    mkdir -p "$folder/twice-$3"
    mpirun -n 4 "$1" "$2" "$folder/twice-$3" "$3" 1 "$4" >"$folder/out" 2>"$folder/err" && return
    echo "FAILED: two sessions: $3, $4"
    tail -n 40 "$folder/err"
    exit 1
}
session "$1" "$2" invalid begin
grep -q 'a rank has lied, and the configuration says `evidence: abort`' "$folder/err" || {
    echo 'FAILED: the run is not ended by evidence'
    exit 1
}
session "$1" "$2" invalid end
grep -q 'was removed in an earlier session (invalid_proof): it gets no work' "$folder/err" || {
    echo 'FAILED: the removal is forgotten'
    exit 1
}
echo 'evidence ends a run that is to end then, and a removal outlives its session'
session "$1" "$2" climbs begin
session "$1" "$2" climbs end
echo 'the highest number of an attempt that a rank invents is not the run'"'"'s'
mkdir "$folder/stakes"
if ! mpirun -n 4 "$1" "$2" "$folder/stakes" outnumbers 2 >"$folder/out" 2>"$folder/err" ||
    ! "$2" audit "$folder"/stakes/*.h5 >"$folder/audit"; then
    echo 'FAILED: two silent ranks of four, with little stake'
    tail -n 40 "$folder/err"
    exit 1
fi
echo 'a quorum follows stake, not heads'
for n in $sizes; do
    for kind in $kinds; do
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
        contrary | random) grep -q '; removed for wrong_vote, evidence holds' "$folder/audit" ;;
        equivocates) grep -q '; removed for [a-z_]*, evidence holds' "$folder/audit" ;;
        invalid) grep -q '; removed for invalid_proof' "$folder/audit" ;;
        *) ! grep -q '; removed' "$folder/audit" ;;
        esac || {
            echo "FAILED: the audit of $kind, $n ranks, names others"
            cat "$folder/audit"
            exit 1
        }
        [ $kind != contrary ] || check_tampered "$2" "$folder/$n-$kind"
        echo "$kind, $n ranks: $(grep -c 'is removed' "$folder/err" || true) lines of removals"
        check_metrics "$folder/$n-$kind"/liars-*.prom
    done
done
