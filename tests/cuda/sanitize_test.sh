#!/bin/sh
# What stands in for a GPU in the checks that need one: sanitize.sh with a compute-sanitizer, a program and tests that are
# scripts runs each of them on the backend cuda and names those that fail; and the real tests, told to run on cuda where
# there is none, fail rather than run on another.
#   sanitize_test.sh SANITIZE.SH PROVERUN TEST...
set -u
sanitize=$1 proverun=$2
shift 2
D=$(mktemp -d "${TMPDIR:-/tmp}/proverun-sanitized-XXXXXX")
trap 'rm -rf "$D"' EXIT
FAILED=0
fail() {
    echo "FAILED: $*"
    FAILED=1
}
script() { # NAME: a program whose text is read
    { echo '#!/bin/sh' && cat; } >"$D/$1"
    chmod +x "$D/$1"
}
script tool <<'S'
here=$(dirname "$0")
while case $1 in --*) true ;; *) false ;; esac; do
    case $1 in --tool) check=$2 ;; esac
    shift 2
done
echo "$check ${PROVERUN_TEST_BACKEND:-none} $(basename "$1") ${2:-alone}" >>"$here/log"
exec "$@"
S
script proverun <<'S'
case $1 in
version) cat "$(dirname "$0")/gpu" ;;
prove) echo "$2" >"$4" ;;
esac
S
echo 'exit 0' | script good
echo 'exit 3' | script bad
echo 'exit 0' | script test_identity
run() { # CHECK TEST...: exit code
    check=$1 && shift
    sh "$sanitize" "$D/tool" "$check" "$D/proverun" vectors "$@" >"$D/out" 2>&1
}

echo 'gpu: a made-up one' >"$D/gpu"
run memcheck "$D/good" "$D/test_identity" || fail "nothing is wrong: $(cat "$D/out")"
[ "$(cat "$D/log")" = "memcheck cuda good alone
memcheck cuda test_identity cuda
memcheck cuda proverun prove" ] || fail "run: $(cat "$D/log")"
: >"$D/log"
run racecheck "$D/bad" "$D/good" && fail "a failing test goes unnoticed"
grep -q '^FAILED: racecheck of bad: exit code 3$' "$D/out" || fail "the failing test is not named: $(cat "$D/out")"
[ "$(wc -l <"$D/log")" = 3 ] || fail "the others are not run: $(cat "$D/log")"

# ---- skipped ----
echo 'gpu: none (no NVIDIA driver)' >"$D/gpu"
run memcheck "$D/good"
[ $? = 77 ] || fail "not skipped without a GPU"
sh "$sanitize" "$D/no-tool" memcheck "$D/proverun" vectors "$D/good" >"$D/out" 2>&1
[ $? = 77 ] || fail "not skipped without the tool"

# ---- the real tests ----
"$proverun" version | grep -q '^gpu: none' || exit $FAILED
for test; do
    PROVERUN_TEST_BACKEND=cuda "$test" >"$D/out" 2>&1 && fail "$(basename "$test") passes on a GPU that is not there"
    grep -q "backend 'cuda'" "$D/out" || fail "$(basename "$test") says nothing of the backend: $(cat "$D/out")"
done
exit $FAILED
