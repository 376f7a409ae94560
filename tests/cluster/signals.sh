#!/bin/sh
# Signals, and what a person sees: asked to drain before MPI is up, for the status, to stop twice; `proverun status` from
# another shell; a line that renews itself on a terminal, plain lines elsewhere.
#   signals.sh PROVERUN PROVERUN_FAULTY MPI_SHIM      (tests/child: proverun with PROVERUN_TEST_FAULTS)
set -u
. "$(dirname "$0")/common.sh"
FAULTY=$(realpath "$2") MPI_SHIM=$3
announced() { told '^\[' "$1"; }
start() { # PROGRAM ARGUMENTS: of proverun run
    program=$1
    shift
    : >err
    "$program" run "$@" >out 2>err &
    PID=$!
}
await_rc() {
    wait $PID
    RC=$?
}

batch() { # NAME N ROWS
    cat >"$1.yaml" <<Y
version: 1
name: $1
jobs:
  - { id: fib, type: wide_fibonacci, params: { log_rows: $3, columns: 60, seed: [$(seq -s ', ' 1 "$2")] } }
Y
}
batch many 400 12

# ---- before MPI is up ----
export LD_PRELOAD="$MPI_SHIM" PR_SHIM_EARLY=yes
start "$PROVERUN" many.yaml --results early
unset LD_PRELOAD PR_SHIM_EARLY
await_rc
expect_rc 75 "drained while MPI starts"
expect_in "interrupted: 0 of 400 jobs done" err "drained while MPI starts"

# ---- SIGUSR2, and from another shell: what each rank does now ----
close_gate 15
start "$FAULTY" many.yaml $HELD --results asked
await '^\[' 5
for n in 1 2 3 4 5; do
    kill -USR2 $PID
    await 'status: rank 0' $n
done
await_at_gate 1
await '^\[' 15 # who asks before may hear of the job before
kill -USR2 $PID
await 'status: rank 0' 6
n_told=$(grep -c '^\[' err)
"$PROVERUN" status --results asked >answer || fail "status: exit code $?"
"$PROVERUN" status --results asked --json >answer.json || fail "status --json: exit code $?"
kill -USR1 $PID
await 'nothing new is started' 1
open_gate
await_rc
expect_rc 75 "drained"
sed -n 's/^\[[0-9/]*\] \([^ ]*\) .*/ended \1/p; s/.*status: rank 0 on [^:]*: \([a-z]*\) \(fib-[0-9]*\).*/\1 \2/p' err >story
grep -q '^proving fib-' story || fail "SIGUSR2: no rank proves"
grep -q "^proving fib-16$" story || fail "SIGUSR2: not what the rank proves"
awk '$1 == "ended" { ended[$2] = 1 } $1 == "proving" && ended[$2] { exit 1 }' story || fail "SIGUSR2: a rank proves what has ended"
expect_in "running, session 1, 1 ranks on" answer "status"
expect_in "^rate: .* jobs/s; expected end 20.*Z, in " answer "status"
expect_in "^    0  .*proving.* fib-16" answer "status"
set -- $(sed -n 's/^jobs: \([0-9]*\), done \([0-9]*\), failed 0, running \([0-9]*\), waiting \([0-9]*\)$/\1 \2 \3 \4/p' answer)
[ $# = 4 ] && [ "$1" = 400 ] && [ $(($2 + $3 + $4)) = 400 ] || fail "status: $(cat answer)"
[ "${2:-0}" -ge "$n_told" ] || fail "status: $n_told jobs were announced, $2 are done"
expect_in '"jobs": 400.*"expected_end_ns": [1-9]' answer.json "status --json"
"$PROVERUN" status --results asked >answer
expect_in ": interrupted, session 1" answer "status after the end"
expect_in "^    0  .* ended " answer "status after the end"
tr -d '[:print:]\n' <err | grep -q . && fail "control characters without a terminal"

# ---- a short time is used, but for a small part ----
batch few 8 10
close_gate 1
start "$FAULTY" few.yaml $HELD --results short --max-time 8s
await '--max-time.*: nothing new is started' 1
open_gate
await_rc
expect_rc 75 "--max-time"
announced 1 || fail "--max-time: nothing was proven in 8 s"

# ---- asked twice: at once, and nothing is lost ----
close_gate 1
start "$FAULTY" few.yaml $HELD --results twice
await_at_gate 1
await '^\[' 1 # what is told is kept
kill -TERM $PID
await "what runs has 10 s" 1
kill -TERM $PID
await_rc
expect_rc 75 "SIGTERM twice"
grep -q "interrupted: " err && fail "SIGTERM twice: it ended in order"
n_told=$(grep -c '^\[' err)
[ "$n_told" -ge 1 ] || fail "SIGTERM twice: nothing was announced"
open_gate
"$PROVERUN" run few.yaml --results twice --resume >out 2>err
RC=$?
expect_rc 0 "resume after SIGTERM twice"
before=$(sed -n 's/.*complete: 8 of 8 jobs done (\([0-9]*\) of them before).*/\1/p' err)
[ "${before:-0}" -ge "$n_told" ] || fail "SIGTERM twice: $n_told jobs were announced, ${before:-none} were kept"

# ---- a terminal ----
if command -v script >/dev/null; then
    : >typescript
    close_gate 15
    script -qefc "echo \$\$ >pid && exec '$FAULTY' run many.yaml $HELD --results seen" typescript >/dev/null </dev/null &
    PID=$!
    line='\[K[0-9]* of 400 done, [0-9]* running, 0 failed, [0-9]* s, [0-9.]* jobs/s, .* to go, ends about [0-9][0-9]:'
    is_renewed() { [ "$(tr '\r' '\n' <typescript | grep -c "$line")" -ge 5 ]; }
    until_true is_renewed || fail "a terminal: no line that is renewed: $(tail -c 2000 typescript)"
    kill -USR1 "$(cat pid)"
    open_gate
    await_rc
    expect_rc 75 "a terminal"
fi

finish "all signals were heard"
