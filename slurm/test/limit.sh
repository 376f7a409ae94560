#!/bin/sh
# The time limit, as Slurm has it: a run that knows nothing of it is killed; one that is told by SIGUSR1 before it drains,
# is requeued, as often as it takes. Limits are whole minutes, so this takes some.
#   limit.sh PROVERUN
# Exit code 77: no Slurm can be started here.
set -u
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# One prover with one thread, however fast the machine is: a tenth of a second a job at least.
slow='--backend scalar --threads 1 --coordinator-only' two='--nodes=1 --ntasks-per-node=2 --cpus-per-task=1'
batch killed.yaml killed 1000 17
batch told.yaml told 800 17

# Where squeue cannot be asked, the run does not know its end.
cat >blind <<S
#!/bin/sh
unset SLURM_JOB_ID
exec "$PROVERUN" "\$@"
S
chmod +x blind
# shellcheck disable=SC2086
PROVERUN=$D/blind submit $two --time=1 "$slurm/run.sbatch" killed.yaml --results killed $slow
killed=$job
# The margin is short: it is the signal that tells. It comes up to a minute early.
# shellcheck disable=SC2086
submit $two --time=2 --signal=B:USR1@55 "$slurm/long.sbatch" told.yaml $slow --drain-margin 1s
told=$job

job=$killed
await_end
is_state TIMEOUT || fail "the time limit: $(field JobState) $(field ExitCode)"
find_file killed
nothing_lost "the time limit" "$f" "job-$killed.out"
submit --nodes=1 --ntasks-per-node=3 --cpus-per-task=1 "$slurm/run.sbatch" killed.yaml --results killed --resume
expect_end "after the time limit" COMPLETED 0:0
is_whole "after the time limit" "$f" 1000

job=$told
again_or_over() {
    is_over && return
    [ "$(field JobState)" != PENDING ] || has_steps || [ "$(field Restarts)" = "${seen:-0}" ] || {
        seen=$(field Restarts)
        scontrol update JobId="$job" StartTime=now+2
    }
    return 1
}
poll 1200 "the end of a run of several allocations" again_or_over
expect_end "a run of several allocations" COMPLETED 0:0
[ "$(field Restarts)" -ge 1 ] || fail "it fitted into one allocation"
out=job-$told.out
expect_in "asked to drain" "$out" "a run of several allocations"
find_file "results/$told"
nothing_lost "a run of several allocations" "$f" "$out"
is_whole "a run of several allocations" "$f" 800
[ "$(grep -c '^\[' "$out")" = 800 ] || fail "not 800 jobs announced, each once"
finish
