#!/bin/sh
# What becomes of a job whose prover crashes, hangs or computes wrongly, in whole runs: every attempt stands in the
# results file with its end, stage, backend and reason; the third is on the plain processor backend; then the job fails.
# Also what the manifest and the plan say of a job, in its row.
#   mpi_attempts.sh PROVERUN_FAULTY      (tests/child: proverun with PROVERUN_TEST_FAULTS)
set -u
. "$(dirname "$0")/common.sh"
# column ID NAME: of a job
column() {
    "$PROVERUN" show "$f" --table jobs | awk -v id="$1" -v name="$2" '
        $1 == "id" { at = $2 } at == id && $1 == name { $1 = ""; sub(/^ /, ""); print; exit }'
}
expect_column() { # ID NAME VALUE
    value=$(column "$1" "$2")
    [ "$value" = "$3" ] || fail "$1: $2 is '$value', not '$3'"
}

cat >m.yaml <<Y
version: 1
name: m
defaults: { profile: fast, retries: 2 }
jobs:
  - { id: dies, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: 1 } }
  - { id: hangs, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: 2 } }
  - { id: lies, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: 3 } }
  - { id: falls-back, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: 4 } }
  - { id: waits, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: 5 }, after: [lies, falls-back],
      retries: 7, time_limit: 90s, deadline: 1h }
  - { id: waits-for-the-dead, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: 6 }, after: dies }
Y
export PROVERUN_TEST_FAULTS="0.*:kill,1.1:hang,2.1:wrong-proof,3.1:abort,3.2:exit"
mpirun -n 2 "$PROVERUN" run m.yaml --backend poison --hang-limit 4s >out 2>err
RC=$?
expect_rc 1 "faults in provers"
f=$(tail -n 1 out)
"$PROVERUN" show "$f" --table attempts >attempts
awk '{ print $1, $2, $3, $6 }' attempts >brief
for line in \
    "dies 1 crashed poison" "dies 2 crashed poison" "dies 3 crashed $(column falls-back backend)" \
    "hangs 1 hung poison" "hangs 2 proved poison" \
    "lies 1 wrong poison" "lies 2 proved poison" \
    "falls-back 1 crashed poison" "falls-back 2 crashed poison"; do
    grep -qx "$line" brief || fail "no attempt '$line': $(cat brief)"
done
[ "$(grep -c '^dies ' brief)" = 3 ] || fail "a job that dies has not three attempts"
[ "$(column falls-back backend)" != poison ] || fail "the third attempt did not fall back"
expect_in "^hangs .* quotients .*no progress" attempts "a hang's stage and reason"
expect_in "^dies .* quotients .*signal 9" attempts "a crash's stage and reason"
expect_in "^lies .*refused the proof" attempts "a wrong proof"
"$PROVERUN" show "$f" >table
expect_in "^dies .* failed .*signal 9" table "the job that dies"
expect_in "^waits-for-the-dead .* skipped .*: dies" table "the job after it"
expect_column dies attempts 3
expect_column falls-back child_restarts 2
"$PROVERUN" show "$f" --table events >events
expect_in " child_hung .*hangs" events "events"
expect_in " child_died .*dies" events "events"
"$PROVERUN" show "$f" --table metrics | grep -q 'proverun_jobs_total{outcome="approved"}.* 4$' || fail "no time series"
"$PROVERUN" verify "$f" >answer 2>&1
expect_in "4 proofs good, 0 bad, 2 jobs without a proof" answer "verify"

# what the manifest and the plan said
expect_column waits after lies,falls-back
expect_column waits retries 7
expect_column waits time_limit_ns 90000000000
expect_column lies retries 2
[ "$(column waits deadline_ns)" -gt "$(column waits started_ns)" ] || fail "the deadline is not in the row"
[ "$(column waits predicted_bytes)" -gt 1000000 ] || fail "the plan's memory is not in the row"
expect_column waits predicted_device_bytes 0
expect_column waits gpu_used no

# the truth alone gives the same
"$PROVERUN" repair "$f" >answer 2>&1 || fail "repair: $(cat answer)"
"$PROVERUN" show "$f" --table attempts | cmp -s - attempts || fail "repair lost the history"

# ---- a backend that computes wrongly again and again is drained on its rank, and the results say so ----
cat >wrong.yaml <<Y
version: 1
name: wrong
defaults: { profile: fast, retries: 0 }
jobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: [1, 2, 3, 4] } }]
Y
PROVERUN_TEST_FAULTS="0.1:refused,1.1:refused,2.1:refused" "$PROVERUN" run wrong.yaml --results wrong --backend poison \
    >out 2>err
RC=$?
expect_rc 0 "a wrong backend: the processor takes over at no cost"
f=$(tail -n 1 out)
processor=$(column fib-4 backend)
"$PROVERUN" show "$f" --table attempts | awk '{ print $1, $2, $3, $6 }' >brief
for n in 1 2 3; do
    grep -qx "fib-$n 1 wrong poison" brief && grep -qx "fib-$n 2 proved $processor" brief || fail "fib-$n: $(cat brief)"
    expect_column "fib-$n" cpu_fallbacks 1
done
[ "$processor" != poison ] || fail "a drained backend was used again"
grep -qx "fib-4 1 proved $processor" brief || fail "fib-4: $(cat brief)"
"$PROVERUN" show "$f" --table events >events
[ "$(grep -c ' backend_failed ' events)" = 3 ] || fail "not an event for each failure: $(cat events)"
expect_in " backend_drained  *0 .*rank 0" events "a drained backend"
expect_in "warning: .*the backend of rank 0 has failed again and again" err "a drained backend"

# ---- the device is gone when a child starts: each failure is the backend's, and the processor takes over at no cost ----
PROVERUN_TEST_FAULTS='' PROVERUN_TEST_NO_DEVICE=yes "$PROVERUN" run wrong.yaml --results gone --backend poison >out 2>err
RC=$?
expect_rc 0 "a device that is gone"
f=$(tail -n 1 out)
"$PROVERUN" show "$f" --table attempts | awk '{ print $1, $2, $3 }' >brief
[ "$(grep -c '^fib-[123] 1 failed$' brief)" = 3 ] && [ "$(grep -c '^fib-[123] 2 proved$' brief)" = 3 ] &&
    grep -qx 'fib-4 1 proved' brief || fail "a device that is gone: $(cat brief)"
for n in 1 2 3; do expect_column "fib-$n" cpu_fallbacks 1; done
"$PROVERUN" show "$f" --table events >events
[ "$(grep -c ' backend_failed .*no device, as the test wants it' events)" = 3 ] || fail "not an event for each: $(cat events)"
expect_in " backend_drained  *0 .*rank 0" events "a device that is gone"

# ---- short jobs behind others: whatever becomes of those costs them nothing, also where a child does not end when told ----
mkdir folder
{
    printf 'version: 1\nname: behind\ndefaults: { profile: fast, retries: 1 }\njobs:\n'
    for k in 1 2 3 4 5; do
        printf '  - { id: fib%s, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: [%s] }, priority: %s }\n' $k \
            "$(seq -s ', ' 1 9)" $((20 - 2 * k))
        printf '  - { id: gone%s, type: file_hash, params: { path: folder }, priority: %s }\n' $k $((19 - 2 * k))
    done
    printf '  - { id: last, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: [1, 2, 3, 4, 5] } }\n'
} >behind.yaml
PROVERUN_TEST_FAULTS="5.1:kill,15.1:refused,25.1:deaf" "$PROVERUN" run behind.yaml --results behind >out 2>err
RC=$?
expect_rc 1 "short jobs"
f=$(tail -n 1 out)
"$PROVERUN" show "$f" --table attempts | awk 'NR > 1 { print $1, $2, $3 }' >brief
[ "$(grep -c '^[a-z]*[0-9]*-[0-9]* 1 proved' brief)" = 47 ] || fail "a short job lost an attempt to another: $(cat brief)"
for line in "fib1-6 1 crashed" "fib1-6 2 proved" "fib2-6 1 wrong" "fib2-6 2 proved" "fib3-6 1 wrong" "fib3-6 2 proved"; do
    grep -qx "$line" brief || fail "no attempt '$line': $(cat brief)"
done
[ "$(grep -c '^gone[1-5] 1 failed$' brief)" = 5 ] && [ "$(grep -c . brief)" = 58 ] || fail "other attempts: $(cat brief)"

# ---- an attempt that runs out of its time limit ----
cat >limit.yaml <<Y
version: 1
name: limit
defaults: { profile: fast, retries: 0 }
jobs: [{ id: long, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: 1 }, time_limit: 4s }]
Y
PROVERUN_TEST_FAULTS="0.*:hang" "$PROVERUN" run limit.yaml --results limit >out 2>err
RC=$?
expect_rc 1 "a time limit"
f=$(tail -n 1 out)
"$PROVERUN" show "$f" >table
expect_in "^long .* timeout .*time limit of 4.0 s" table "a time limit"
"$PROVERUN" show "$f" --table attempts >attempts
[ "$(grep -c '^long .* timeout .* quotients ' attempts)" = 1 ] || fail "a time limit: $(cat attempts)"

# ---- deadlines count from the start of the run ----
unset PROVERUN_TEST_FAULTS
cat >late.yaml <<Y
version: 1
name: late
defaults: { profile: fast }
jobs:
  - { id: done, type: wide_fibonacci, params: { log_rows: 6, columns: 5, seed: 1 } }
  - { id: late, type: file_hash, params: { path: not-there }, deadline: 2s }
Y
"$PROVERUN" run late.yaml --results late >out 2>err
RC=$?
expect_rc 1 "a missing input"
printf 'there now' >not-there
sleep 2
"$PROVERUN" run late.yaml --results late --resume --retry-failed >out 2>err
RC=$?
expect_rc 1 "a deadline gone by"
f=$(tail -n 1 out)
"$PROVERUN" show "$f" >table
expect_in "^late .* refused .*cannot end by its deadline" table "a deadline gone by"

# ---- a watch that is killed goes on with the manifest that it was at, and does not begin the others again ----
seeds=$(seq -s ', ' 1 60)
mkdir box
cat >box/b.yaml <<Y
version: 1
name: b
defaults: { profile: fast }
jobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: 12, columns: 60, seed: [$seeds] } }]
Y
printf 'version: 1\nname: a\njobs: 7\n' >box/a.yaml
touch -d '1 minute ago' box/a.yaml box/b.yaml
status_of() { tr -d ' \n' <"box/$1.yaml.status.json"; }
close_gate 9
: >err
"$PROVERUN" run --watch box $HELD --results watched --backend scalar >out 2>err &
PID=$!
await '^\[5/' 1
kill -9 $PID
open_gate
wait $PID 2>/dev/null
status_of b >was
expect_in '"status":"running"' was "a watch that is killed"
expect_in '"exit_code":null' was "a watch that is killed"
cp box/a.yaml.status.json a.was
"$PROVERUN" run --watch box --results watched >out 2>err &
PID=$!
is_complete() { grep -q '"complete"' box/b.yaml.status.json; }
until_true is_complete
kill -USR1 $PID
wait $PID
RC=$?
expect_rc 0 "a watch that was begun again"
status_of b >is
expect_in '"status":"complete"' is "a watch that was begun again"
expect_in '"done":60' is "a watch that was begun again"
grep -q '(0 of them before)' err && fail "the manifest was begun anew: $(cat err)"
expect_in 'going on with' err "a watch that was begun again"
cmp -s a.was box/a.yaml.status.json || fail "a manifest that was answered was answered again"
[ "$(ls watched/b-*.h5 | wc -l)" = 1 ] || fail "a second run of the same manifest"

finish "all attempts are accounted for"
