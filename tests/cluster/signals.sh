#!/bin/sh
# Signals to a run: asked to drain before MPI is up.
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
batch many 200 16

# ---- before MPI is up: its components are being loaded ----
is_loading() { grep -q '/mca_' "/proc/$PID/maps" 2>/dev/null; }
start many.yaml --results early
until_true is_loading || fail "MPI loads nothing"
kill -USR1 $PID
await_rc
expect_rc 75 "drained while MPI starts"
expect_in "interrupted: 0 of 200 jobs done" err "drained while MPI starts"

finish "all signals were heard"
