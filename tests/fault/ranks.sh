#!/bin/sh
# A rank that is slow, and one that is stopped, taken for lost, and answers late: the batch does not wait for either, and
# what comes late changes nothing. (Ranks that answer rubbish, or twice, or what is not true: cluster/mpi_liar.c.)
#   ranks.sh PROVERUN PROVERUN_FAULTY
set -u
FAULTY=$2
. "$(dirname "$0")/../app/common.sh"

manifest() { # NAME JOBS LOG_ROWS
    printf 'version: 1\nname: %s\ndefaults: { profile: fast }\njobs:\n' "$1"
    printf '  - { id: fib, type: wide_fibonacci, params: { log_rows: %s, columns: 60, seed: [%s] } }\n' "$3" "$(seq -s ', ' 1 "$2")"
}
# start RANKS MANIFEST OPTIONS...: in the background, streams to run.out and run.err
printf 'version: 1\nconsensus: { round_timeout: 2s, view_timeout: 4s, retries: 5 }\n' >quick.yaml
start() {
    n=$1
    shift
    : >run.err
    mpirun --enable-recovery -n "$n" "$PROVERUN" run "$@" --config quick.yaml --backend scalar --threads 1 >run.out 2>run.err &
    PID=$!
}
# await PATTERN: until a line of run.err holds it; half a minute at most
await() {
    waits=0
    until grep -q "$1" run.err || ! kill -0 $PID 2>/dev/null || [ $waits = 600 ]; do
        sleep 0.05
        waits=$((waits + 1))
    done
}
supervisor() { pgrep -P $PID -x proverun | sed -n "$(($1 + 1))p"; } # of a rank; they are started in order
ends_well() { # NAME JOBS
    says run.err "$2 of $2 jobs done (0 of them before), 0 failed"
    expect 0 verify "$(cat run.out)"
    says out "$2 proofs good, 0 bad, 0 jobs without"
    expect 0 journal check "$(cat run.out)"
}

# ---- slow: its prover stands still while the supervisor goes on; the job is begun again elsewhere ----
manifest slow 12 13 >slow.yaml
start 3 slow.yaml --results slow
await '^\['
frozen=$(pgrep -P "$(supervisor 1)")
kill -STOP "$frozen"
began=$(date +%s)
wait $PID
[ $(($(date +%s) - began)) -lt 50 ] || fail "a slow rank holds up the batch until it is taken for hung"
says run.err 'handed out again'
ends_well slow 12

# ---- stopped: lost, its job is done elsewhere; then it goes on, and sends what is there already ----
manifest late 60 15 >late.yaml
start 4 late.yaml --results late --silent-after 2s --lost-after 3s
await '^\['
sleep 0.3 # all end their first proofs at about the same time: within the second one
stopped=$(supervisor 3)
kill -STOP "$stopped"
await 'it is lost'
done_then=$(grep -c '^\[' run.err)
await "^\[$((done_then + 6))/" # its job was the first to be handed out again, and has ended
kill -CONT "$stopped"
wait $PID
says run.err 'rank 3 sent \(the proof that is there already\|a proof after the job\)'
says run.err 'rank 3 is back'
ends_well late 60
expect 0 show "$(cat run.out)" --table events
says out 'late_answer'

# ---- the same, but what comes late is another proof: it counts for nothing, and is told as a contradiction ----
options="run late.yaml --config quick.yaml --results other --silent-after 2s --lost-after 3s --backend scalar --threads 1"
: >run.err
# shellcheck disable=SC2086
mpirun --enable-recovery -n 3 "$PROVERUN" $options : -n 1 -x PROVERUN_TEST_FAULTS='*.*:other-hash' "$FAULTY" $options \
    >run.out 2>run.err &
PID=$!
# within its first proof: another hash that comes in time is refused, and the rank gets no work
ticks() { # of its prover; 0 before there is one
    prover=$(pgrep -P "$stopped") && awk '{ print $14 }' "/proc/$prover/stat" 2>/dev/null || echo 0
}
waits=0
until stopped=$(pgrep -P $PID -x proverun_faulty) && [ "$(ticks)" -ge 8 ] || [ $waits = 600 ]; do
    sleep 0.02
    waits=$((waits + 1))
done
kill -STOP "$stopped"
await 'it is lost'
before=$(grep -c '^\[' run.err)
waits=0
until [ "$(grep -c '^\[' run.err)" -ge $((before + 8)) ] || [ $waits = 1200 ]; do # its job was among them
    sleep 0.05
    waits=$((waits + 1))
done
kill -CONT "$stopped"
wait $PID
says run.err 'rank 3 sent another proof .* than the one that counts'
ends_well other 60
expect 0 show "$(cat run.out)" --table events
says out 'contradiction'
finish
