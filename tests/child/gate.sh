# Sourced by tests of whole runs that do something in the middle of one, of process $PID. In a run of proverun_faulty
# (faults.h) each proof of job FIRST (0, 1, ...) and those after it waits in its middle, from `close_gate FIRST` to
# `open_gate`: so the run is not over before the test has done its part, however fast the machine is and however late the
# test gets its turn. HELD are the options of such a run: who waits there is not taken for hung.
HELD='--hang-limit 1h'
close_gate() { # FIRST
    rm -f gate gate.*
    export PROVERUN_TEST_GATE="$PWD/gate" PROVERUN_TEST_FAULTS="$1+.*:gate"
}
open_gate() {
    : >"$PROVERUN_TEST_GATE"
    unset PROVERUN_TEST_FAULTS
}
pass_gate() { for prover; do rm -f "$PROVERUN_TEST_GATE.$prover"; done; } # PROVER...: these alone, this once
# the provers that wait there: of all ranks, or of that one
at_gate() { # [RANK]
    for mark in "$PROVERUN_TEST_GATE".*; do
        prover=${mark##*.}
        [ ! -e "$mark" ] || { [ $# = 1 ] && ! is_of_rank "$1" "$prover"; } || echo "$prover"
    done
}
is_of_rank() { # RANK PROVER
    supervisor=$(awk '{ print $4 }' "/proc/$2/stat")
    tr '\0' '\n' <"/proc/$supervisor/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1"
}
are_at_gate() { [ "$(at_gate | wc -l)" -ge "$1" ]; }
job_at_gate() { cat "$PROVERUN_TEST_GATE.$1"; } # PROVER: number of the job that it waits in
await_at_gate() { until_true are_at_gate "$1" || fail "no $1 provers at work"; } # N
# the supervisor of a rank, whose prover waits at the gate
supervisor() { awk '{ print $4 }' "/proc/$(at_gate "$1")/stat"; } # RANK

# until_true COMMAND ARGUMENTS: for two minutes at most, while process $PID lives; what it did last before its end counts
until_true() {
    looks=0
    while [ $looks -lt 2400 ] && kill -0 "$PID" 2>/dev/null; do
        "$@" && return
        looks=$((looks + 1))
        sleep 0.05
    done
    "$@"
}
