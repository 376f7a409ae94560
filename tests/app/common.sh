# Sourced by the tests of this folder: they expect exit codes and words of a command.
PROVERUN=${1:?the program}
TOP=$(cd "$(dirname "$0")/../.." && pwd)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
WORK=$(mktemp -d "${TMPDIR:-/tmp}/proverun-app-XXXXXX") || exit 2
cd "$WORK" || exit 2
. "$TOP/tests/own_mpi.sh"
trap 'chmod -R u+w "$WORK"; rm -rf "$WORK"; remove_mpi' EXIT
FAILED=0

fail() {
    echo "FAILED: $*"
    FAILED=1
}

# expect RC COMMAND ...: standard output in out, standard error in err
expect() {
    expected=$1
    shift
    timeout 300 "$PROVERUN" "$@" >out 2>err
    rc=$?
    [ $rc = "$expected" ] && return
    fail "proverun $*: exit code $rc, not $expected"
    tail -n 5 err
}
says() { # FILE PATTERN
    grep -q -e "$2" "$1" || { fail "no '$2' in $1:" && head -n 5 "$1"; }
}
silent() { [ ! -s out ] || fail "a failure wrote to standard output"; }

finish() {
    [ $FAILED = 0 ] && echo "all as it should be"
    exit $FAILED
}
