#!/bin/sh
# A child that is killed, a rank that is lost, stopped or comes back, an idle rank, a watched folder, a rerun, an end of
# time: the run goes on, or ends resumable, and what was announced is there.
#   mpi_losses.sh PROVERUN PROVERUN_FAULTY      (tests/child: proverun with PROVERUN_TEST_FAULTS)
set -u
. "$(dirname "$0")/common.sh"
FAULTY=$(realpath "$2")
# launch COMMAND ARGUMENTS: in the background; what an earlier run said is not taken for this one's
launch() {
    : >err
    "$@" >out 2>err &
    PID=$!
}
ends_well() { # NAME JOBS
    f=$(tail -n 1 out)
    "$PROVERUN" verify "$f" >answer 2>&1 || fail "$1: verify"
    expect_in "^$f: $2 proofs good, 0 bad" answer "$1"
}

seeds=$(seq -s ', ' 1 40)
cat >m.yaml <<Y
version: 1
name: m
jobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: 12, columns: 60, seed: [$seeds] } }]
Y

cat >quick.yaml <<Y
version: 1
consensus: { round_timeout: 2s, view_timeout: 4s, retries: 20 }
Y

# ---- children killed at work: attempts are lost, the run is not ----
close_gate 6
launch mpirun -n 3 "$FAULTY" run m.yaml $HELD --results killed
await_at_gate 3
for victim in $(at_gate | head -n 2); do kill -9 "$victim"; done
open_gate
wait $PID
RC=$?
expect_rc 0 "children killed"
expect_in "killed by signal 9\|signal 9\|SIGKILL\|out of memory" err "children killed"
ends_well "children killed" 40

# ---- a rank is lost: with recovery the others go on ----
close_gate 6
launch mpirun --enable-recovery -n 4 "$FAULTY" run m.yaml $HELD --results lost --backend scalar --config quick.yaml
await_at_gate 4
kill -9 "$(supervisor 3)"
open_gate
wait $PID
expect_in "40 of 40 jobs done" err "a lost rank"
expect_in "is gone" err "a lost rank"
ends_well "a lost rank" 40
expect_in '"exit_code": 0' "${f%.h5}.status.json" "a lost rank"

# ---- a stopped rank: its job goes to another ----
close_gate 6
launch mpirun --enable-recovery -n 4 "$FAULTY" run m.yaml $HELD --results stopped --silent-after 1s --config quick.yaml \
    --backend scalar
await_at_gate 4
kill -STOP "$(supervisor 3)"
open_gate
wait $PID
expect_in "40 of 40 jobs done" err "a stopped rank"
expect_in "does not answer" err "a stopped rank"
ends_well "a stopped rank" 40

# ---- without recovery the launcher ends all, and the run is resumable ----
close_gate 6
launch mpirun -n 3 "$FAULTY" run m.yaml $HELD --results default
await_at_gate 3
kill -9 "$(supervisor 2)"
open_gate
wait $PID
await_gone
mpirun -n 3 "$PROVERUN" run m.yaml --results default --resume >out 2>err
RC=$?
expect_rc 0 "resume after the loss of a rank"
ends_well "resume after the loss of a rank" 40

# ---- the end of the time ----
close_gate 1
launch "$FAULTY" run m.yaml $HELD --results late --max-time 2s --drain-margin 1500ms --backend scalar
await 'max-time' 1
open_gate
wait $PID
RC=$?
expect_rc 75 "--max-time"
expect_in "max-time" err "--max-time"
"$PROVERUN" run m.yaml --results late --resume >out 2>err
RC=$?
expect_rc 0 "resume after --max-time"
ends_well "resume after --max-time" 40

# ---- the same batch again, from the results file alone ----
first=$f
mv m.yaml moved.yaml
mpirun -n 2 "$PROVERUN" rerun "$first" --results again >out 2>err
RC=$?
expect_rc 0 "rerun"
ends_well "rerun" 40
"$PROVERUN" show "$first" --table jobs | awk '$1 == "proof_hash" { print $2 }' | sort >was
"$PROVERUN" show "$f" --table jobs | awk '$1 == "proof_hash" { print $2 }' | sort >is
[ -s was ] || fail "rerun: no proof hashes"
cmp -s was is || fail "rerun: other proofs"
mv moved.yaml m.yaml

# ---- a watched folder; an idle rank costs next to nothing ----
mkdir box
printf 'version: 1\nname: bad\njobs: 7\n' >box/bad.yaml
launch mpirun -n 2 "$PROVERUN" run --watch box --results watched
cp m.yaml box/.m.tmp
mv box/.m.tmp box/m.yaml
is_complete() { grep -q '"status": "complete"' box/m.yaml.status.json 2>/dev/null; }
until_true is_complete
expect_in '"status": "complete"' box/m.yaml.status.json "watch"
expect_in '"done": 40' box/m.yaml.status.json "watch"
expect_in '"status": "refused"' box/bad.yaml.status.json "watch"
ticks() { # of the busier rank
    for s in $(pgrep -P "$PID" -x proverun); do awk '{ print $14 + $15 }' "/proc/$s/stat"; done | sort -n | tail -n 1
}
for try in 1 2 3 4; do # what the run has left to do is done soon
    before=$(ticks)
    sleep 5
    spent=$(($(ticks) - before))
    [ $((50 * spent)) -gt $((5 * $(getconf CLK_TCK))) ] || break
done
echo "an idle rank: $spent ticks of $((5 * $(getconf CLK_TCK)))"
[ $((50 * spent)) -le $((5 * $(getconf CLK_TCK))) ] || fail "an idle rank used $spent ticks in 5 s"
kill -USR1 $PID
wait $PID
[ "$(grep -c '\.h5$' out)" = 1 ] || fail "watch: not one results file on standard output"

finish "all losses were survived"
