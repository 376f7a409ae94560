# Sourced by the tests of whole runs in this folder: "$1" is the program. They work in a folder of their own, put the
# streams of a run into out and err, its exit code into RC, and end with `finish TEXT`.
PROVERUN=$(realpath "${1:?the program}")
HERE=$(cd "$(dirname "$0")" && pwd)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
D=$(mktemp -d "${TMPDIR:-/tmp}/proverun-$(basename "$0" .sh)-XXXXXX") || exit 2
D=$(realpath "$D")
cd "$D" || exit 2
. "$HERE/../own_mpi.sh"
trap 'rm -rf "$D"; remove_mpi' EXIT
FAILED=0
. "$HERE/../child/gate.sh"

fail() {
    echo "FAILED: $*"
    FAILED=1
    [ -s err ] && tail -n 60 err | sed 's/^/  | /'
}
expect_rc() { [ "$RC" = "$1" ] || fail "$2: exit code $RC, not $1"; }
expect_in() { grep -q -- "$1" "$2" || fail "$3: no '$1' in $2: $(head -n 20 "$2")"; } # PATTERN FILE WHAT
told() { [ "$(grep -c -- "$1" err)" -ge "$2" ]; }  # TEXT N: in N lines of err
await() { until_true told "$1" "$2" || fail "no '$1' in $2 lines"; } # TEXT N
# the ranks of this test and their provers
ranks_here() {
    for rank in $(pgrep -x 'proverun|proverun_faulty'); do
        [ "$(readlink "/proc/$rank/cwd")" != "$D" ] || echo "$rank"
    done
}
# Ranks notice within moments that mpirun is gone; until then the files are theirs.
await_gone() {
    looks=0
    while [ -n "$(ranks_here)" ]; do
        looks=$((looks + 1))
        [ $looks -lt 1200 ] || { fail "ranks outlive mpirun by two minutes: $(ranks_here)" && return; }
        sleep 0.1
    done
}
finish() {
    [ $FAILED = 0 ] && echo "$1"
    exit $FAILED
}
