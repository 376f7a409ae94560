#!/bin/sh
# A rank that is slow, and one that is stopped, taken for lost, and answers late: the batch does not wait for either, and
# what comes late changes nothing. (Ranks that answer rubbish, or twice, or what is not true: cluster/mpi_liar.c.)
#   ranks.sh PROVERUN PROVERUN_FAULTY      (tests/child: proverun with PROVERUN_TEST_FAULTS)
set -u
FAULTY=$2
. "$(dirname "$0")/../app/common.sh"
. "$TOP/tests/child/gate.sh"

manifest() { # NAME JOBS LOG_ROWS
    printf 'version: 1\nname: %s\ndefaults: { profile: fast }\njobs:\n' "$1"
    printf '  - { id: fib, type: wide_fibonacci, params: { log_rows: %s, columns: 60, seed: [%s] } }\n' "$3" "$(seq -s ', ' 1 "$2")"
}
printf 'version: 1\nconsensus: { round_timeout: 2s, view_timeout: 4s, retries: 20 }\n' >quick.yaml
# start RANKS MANIFEST OPTIONS...: in the background, streams to run.out and run.err
start() {
    n=$1
    shift
    : >run.err
    mpirun --enable-recovery -n "$n" "$FAULTY" run "$@" --config quick.yaml --threads 1 >run.out 2>run.err &
    PID=$!
}
await() { until_true grep -q -e "$1" run.err || fail "no '$1'"; } # PATTERN
has_ended() { grep -q "^\[[0-9/]*\] $1 " run.err; } # JOB
# The prover of rank 3 goes on and answers, but its supervisor does not; the rank is lost, and its job ends elsewhere.
lose_rank_3() {
    await_at_gate 4
    prover=$(at_gate 3)
    job=fib-$(($(job_at_gate "$prover") + 1)) # what rank 0 says of the rank may be older
    stopped=$(supervisor 3)
    kill -STOP "$stopped"
    pass_gate "$prover"
    await 'it is lost'
    for pass in $(seq 12); do # it is handed out when one of the others has nothing to do, and ends at the next pass
        pass_gate $(at_gate)
        await_at_gate 3
        for try in $(seq 20); do
            has_ended "$job" && return
            sleep 0.1
        done
    done
    until_true has_ended "$job" || fail "$job, of rank 3, does not end elsewhere"
}
ends_well() { # NAME JOBS
    says run.err "$2 of $2 jobs done (0 of them before), 0 failed"
    expect 0 verify "$(cat run.out)"
    says out "$2 proofs good, 0 bad, 0 jobs without"
    expect 0 journal check "$(cat run.out)"
}

# ---- slow: its prover stands still while the supervisor goes on; the job is begun again elsewhere ----
manifest slow 12 10 >slow.yaml
close_gate 3
start 3 slow.yaml --results slow
await_at_gate 3
kill -STOP "$(at_gate 1)"
open_gate
wait $PID
! grep -q 'no progress' run.err || fail "a slow rank holds up the batch until it is taken for hung"
says run.err 'handed out again'
ends_well slow 12

# ---- stopped: lost, its job is done elsewhere; then it goes on, and sends what is there already ----
manifest late 60 10 >late.yaml
close_gate 8
start 4 late.yaml $HELD --results late --silent-after 2s --lost-after 3s
lose_rank_3
kill -CONT "$stopped"
await 'rank 3 sent \(the proof that is there already\|a proof after the job\)'
is_back() { # with what it had besides, which others have by now
    grep -q 'rank 3 is back' run.err && return
    pass_gate $(at_gate 3)
    return 1
}
until_true is_back || fail "rank 3 does not come back"
open_gate
wait $PID
ends_well late 60
expect 0 show "$(cat run.out)" --table events
says out 'late_answer'

# ---- the same, but what comes late is another proof: it counts for nothing, and is told as a contradiction ----
# within its first proof: another hash that comes in time is refused, and the rank gets no work
options="run late.yaml $HELD --config quick.yaml --results other --silent-after 2s --lost-after 3s --threads 1"
close_gate 8
: >run.err
# shellcheck disable=SC2086
mpirun --enable-recovery -n 3 "$FAULTY" $options : \
    -n 1 -x PROVERUN_TEST_FAULTS='0+.*:gate,*.*:other-hash' "$FAULTY" $options >run.out 2>run.err &
PID=$!
lose_rank_3
kill -CONT "$stopped"
await 'rank 3 sent another proof .* than the one that counts'
open_gate
wait $PID
ends_well other 60
expect 0 show "$(cat run.out)" --table events
says out 'contradiction'
finish
