#!/bin/sh
# Signals, and what a person sees: asked to drain before MPI is up, for the status, to stop twice; `proverun status` from
# another shell; a line that renews itself on a terminal, plain lines elsewhere.
#   signals.sh PROVERUN
set -u
. "$(dirname "$0")/common.sh"
# until COMMAND ARGUMENTS: for a minute at most, while process $PID lives
until_true() {
    i=0
    until "$@"; do
        i=$((i + 1))
        [ $i -lt 1200 ] && kill -0 "$PID" 2>/dev/null || return 1
        sleep 0.05
    done
}
announced() { [ "$(grep -c '^\[' err)" -ge "$1" ]; }
says() { grep -q -- "$1" err; }
start() { # ARGUMENTS: of proverun run
    : >err
    "$PROVERUN" run "$@" >out 2>err &
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
batch many 400 16

# ---- before MPI is up: its components are being loaded ----
is_loading() { grep -q '/mca_' "/proc/$PID/maps" 2>/dev/null; }
start many.yaml --results early
until_true is_loading || fail "MPI loads nothing"
kill -USR1 $PID
await_rc
expect_rc 75 "drained while MPI starts"
expect_in "interrupted: 0 of 400 jobs done" err "drained while MPI starts"

# ---- SIGUSR2, and from another shell: what each rank does now ----
start many.yaml --results asked
until_true announced 5
answered() { [ "$(grep -c 'status: rank 0' err)" -ge "$1" ]; }
for n in 1 2 3 4 5; do # between two jobs a rank is idle
    kill -USR2 $PID
    until_true answered $n || fail "SIGUSR2: no answer"
done
told=$(grep -c '^\[' err)
"$PROVERUN" status --results asked >answer || fail "status: exit code $?"
"$PROVERUN" status --results asked --json >answer.json || fail "status --json: exit code $?"
kill -USR1 $PID
await_rc
expect_rc 75 "drained"
sed -n 's/^\[[0-9/]*\] \([^ ]*\) .*/ended \1/p; s/.*status: rank 0 on [^:]*: \([a-z]*\) \(fib-[0-9]*\).*/\1 \2/p' err >story
grep -q '^proving fib-' story || fail "SIGUSR2: no rank proves"
awk '$1 == "ended" { ended[$2] = 1 } $1 == "proving" && ended[$2] { exit 1 }' story || fail "SIGUSR2: a rank proves what has ended"
expect_in "running, session 1, 1 ranks on" answer "status"
expect_in "^rate: .* jobs/s; expected end 20.*Z, in " answer "status"
expect_in "^    0  .*\(proving\|verifying\).* fib-" answer "status"
set -- $(sed -n 's/^jobs: \([0-9]*\), done \([0-9]*\), failed 0, running \([01]\), waiting \([0-9]*\)$/\1 \2 \3 \4/p' answer)
[ $# = 4 ] && [ "$1" = 400 ] && [ $(($2 + $3 + $4)) = 400 ] || fail "status: $(cat answer)"
[ "${2:-0}" -ge "$told" ] || fail "status: $told jobs were announced, $2 are done"
expect_in '"jobs": 400.*"expected_end_ns": [1-9]' answer.json "status --json"
"$PROVERUN" status --results asked >answer
expect_in ": interrupted, session 1" answer "status after the end"
expect_in "^    0  .* ended " answer "status after the end"
tr -d '[:print:]\n' <err | grep -q . && fail "control characters without a terminal"

# ---- a short time is used, but for a small part ----
"$PROVERUN" run many.yaml --results short --max-time 8s >out 2>err
RC=$?
expect_rc 75 "--max-time"
expect_in "--max-time.*: nothing new is started" err "--max-time"
announced 1 || fail "--max-time: nothing was proven in 8 s"

# ---- asked twice: at once, and nothing is lost ----
batch slow 8 19
start slow.yaml --results twice --backend scalar --threads 1
until_true announced 1
kill -TERM $PID
until_true says "what runs has 10 s" || fail "SIGTERM: no answer"
kill -TERM $PID
await_rc
expect_rc 75 "SIGTERM twice"
grep -q "interrupted: " err && fail "SIGTERM twice: it ended in order"
told=$(grep -c '^\[' err)
"$PROVERUN" run slow.yaml --results twice --resume >out 2>err
RC=$?
expect_rc 0 "resume after SIGTERM twice"
before=$(sed -n 's/.*complete: 8 of 8 jobs done (\([0-9]*\) of them before).*/\1/p' err)
[ "${before:-0}" -ge "$told" ] || fail "SIGTERM twice: $told jobs were announced, ${before:-none} were kept"

# ---- a terminal ----
if command -v script >/dev/null; then
    script -qec "'$PROVERUN' run many.yaml --results seen --max-time 3s --drain-margin 100ms" typescript >/dev/null </dev/null
    tr '\r' '\n' <typescript >lines
    expect_in "^.\[K[0-9]* of 400 done, 1 running, 0 failed, [0-9]* s, [0-9.]* jobs/s, .* to go, ends about [0-9][0-9]:" lines "a terminal"
    [ "$(grep -c 'of 400 done' lines)" -ge 5 ] || fail "a terminal: the line is not renewed"
fi

finish "all signals were heard"
