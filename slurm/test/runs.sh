#!/bin/sh
# The scripts of slurm/ on a Slurm cluster of this machine: what becomes of the jobs, what is kept, what Slurm says.
#   runs.sh PROVERUN PROVERUN_FAULTY      (tests/child: proverun with PROVERUN_TEST_FAULTS)
# Exit code 77: no Slurm can be started here.
set -u
FAULTY=$(realpath "$2") # before the folder changes
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/../../tests/child/gate.sh
. "$slurm/../tests/child/gate.sh"
topology=$slurm/../tests/placement/topology-8gpu.xml
small='--nodes=1 --ntasks-per-node=3 --cpus-per-task=1 --time=5'
part() { echo "$(date +%T) $*"; }
await_drain() { poll 300 "nothing new is started" grep -qs 'nothing new is started' "job-$job.out"; }

batch six.yaml six 6 10
batch many.yaml many 60 12
sed 's/log_rows/log_row/' six.yaml >bad.yaml
{ cat six.yaml && echo '  - { id: file, type: file_hash, params: { path: not-there } }'; } >missing.yaml

# ---- a run, its exit code, what it knows of its allocation ----
part "a run"
# shellcheck disable=SC2086
submit $small "$slurm/run.sbatch" six.yaml --results plain
expect_end "a run" COMPLETED 0:0
find_file plain
is_whole "a run" "$f" 6
expect_not_in "squeue does not tell" "job-$job.out" "a run"
# shellcheck disable=SC2094
"$PROVERUN" show "$f" --table provenance >provenance
expect_in "SLURM_JOB_ID=$job" provenance "a run"

part "exit codes; mpirun in place of srun"
# shellcheck disable=SC2086
submit $small "$slurm/run.sbatch" bad.yaml --results bad
expect_end "a bad manifest" FAILED 2:0
# shellcheck disable=SC2086
PROVERUN_LAUNCH="mpirun --bind-to none" submit $small "$slurm/run.sbatch" missing.yaml --results missing
expect_end "a job that fails" FAILED 1:0
find_file missing
nothing_lost "a job that fails" "$f" "job-$job.out"

# ---- GPUs: which rank has which. The eight of a described machine; of Slurm's four, device files ----
part "GPUs"
# shellcheck disable=SC2086
submit $small --gres=gpu:1 --wrap "touch held; until [ -e release ]; do sleep 0.2; done" # GPU 0 is another job's
holder=$job
poll 120 "a GPU is held" test -e held
cat >topo.sbatch <<S
#!/bin/sh
srun --gpus-per-task=1 sh -c 'echo "task \$SLURM_PROCID: \$CUDA_VISIBLE_DEVICES"'
srun --mpi=pmix --gpus-per-task=1 "$PROVERUN" topo --xml "$topology"
srun --mpi=pmix --gpu-bind=single:1 "$PROVERUN" topo --xml "$topology"
srun --mpi=pmix "$PROVERUN" topo --xml "$topology"
mpirun --bind-to none "$PROVERUN" topo --xml "$topology"
S
submit --nodes=1 --ntasks=3 --gres=gpu:3 topo.sbatch
expect_end "GPUs" COMPLETED 0:0
for rank in 0 1 2; do
    gpu=$((rank + 1))
    expect_in "^task $rank: $gpu\$" "job-$job.out" "Slurm's choice"
    bus=$(echo 10 18 20 28 | cut -d ' ' -f $((gpu + 1)))
    [ "$(grep -c "^  rank $rank     GPU 0000:$bus:00.0 " "job-$job.out")" = 4 ] || fail "rank $rank: not GPU $gpu 4 times"
done
touch release
job=$holder
expect_end "another job with a GPU" COMPLETED 0:0

part "a GPU script"
submit --cpus-per-task=2 "$slurm/gpu.sbatch" six.yaml --results gpu
expect_end "the GPU script" COMPLETED 0:0
find_file gpu
is_whole "the GPU script" "$f" 6

# ---- the coordinator on a node of its own ----
part "a heterogeneous job"
submit "$slurm/het.sbatch" six.yaml --results het
expect_end "the heterogeneous script" COMPLETED 0:0
find_file het
is_whole "the heterogeneous script" "$f" 6
"$PROVERUN" show "$f" --table jobs >rows
[ "$(awk '$1 == "prover_rank" && $2 > 0' rows | wc -l)" = 6 ] || fail "the coordinator proved"
expect_not_in "squeue does not tell" "job-$job.out" "the heterogeneous script"

# ---- drained before the limit, requeued, resumed: by RequeueExit of the site, then without it ----
for launch in "srun --mpi=pmix" "mpirun --bind-to none"; do
    part "drain, requeue, resume: $launch"
    close_gate 10
    # shellcheck disable=SC2086
    PROVERUN=$FAULTY PROVERUN_LAUNCH=$launch submit $small --signal=B:USR1@60 "$slurm/long.sbatch" many.yaml
    await_announced 3
    scancel --batch -s USR1 "$job"
    await_drain
    open_gate
    await_restart 1
    expect_end "a long run" COMPLETED 0:0
    out=job-$job.out
    find_file "results/$job"
    nothing_lost "a long run" "$f" "$out"
    is_whole "a long run" "$f" 60
    expect_in "asked to drain: nothing new is started" "$out" "a long run"
    expect_in "interrupted: [0-9]* of 60 jobs done" "$out" "a long run"
    expect_in "complete: 60 of 60 jobs done" "$out" "a long run" # the output was appended to
    [ "$(grep -c '^\[' "$out")" = 60 ] || fail "not 60 jobs announced, each once"
    sed -i /RequeueExit/d c/slurm.conf && scontrol reconfigure
done

# ---- a signal that comes before the ranks listen would kill them: it waits ----
part "no circle, and a signal that comes early"
cat >late <<S
#!/bin/sh
[ "\$1" != run ] || { touch early && sleep 3; }
exec "$PROVERUN" "\$@"
S
chmod +x late
# shellcheck disable=SC2086
PROVERUN=$D/late submit $small --signal=B:USR1@60 "$slurm/long.sbatch" many.yaml --max-time 1ms
poll 300 "a rank starts" test -e early
scancel --batch -s USR1 "$job"
expect_end "no circle" FAILED 1:0
expect_in "no job has ended in this allocation: not requeued" "job-$job.out" "no circle"
expect_not_in "User defined signal" "job-$job.out" "no circle"

# ---- the allocation's end, which the run finds by itself: nothing is started within the margin before it ----
part "the end of the allocation"
close_gate 1
# shellcheck disable=SC2086
PROVERUN=$FAULTY submit $small "$slurm/run.sbatch" many.yaml --results end --drain-margin 260s
await_drain
open_gate
expect_end "the end of the allocation" FAILED 75:0
expect_in "the end of the Slurm allocation[a-z ]*: nothing new is started" "job-$job.out" "the end of the allocation"
find_file end
nothing_lost "the end of the allocation" "$f" "job-$job.out"

# ---- asked for its status, then to drain, with one command whatever the launcher is ----
part "signals to the batch script's process"
close_gate 10
# shellcheck disable=SC2086
PROVERUN=$FAULTY submit $small "$slurm/run.sbatch" many.yaml --results hand
await_announced 1
scancel --batch -s USR2 "$job"
poll 300 "the status" grep -q "status: rank 2 on" "job-$job.out"
scancel --batch -s USR1 "$job"
await_drain
open_gate
expect_end "a drain by hand" FAILED 75:0
find_file hand
nothing_lost "a drain by hand" "$f" "job-$job.out"

# ---- cancelled, then gone on with by another job ----
part "scancel"
close_gate 30
# shellcheck disable=SC2086
PROVERUN=$FAULTY submit $small "$slurm/run.sbatch" many.yaml --results hand --resume
await_announced 3
scancel "$job"
await_end
open_gate
is_state CANCELLED || fail "scancel: $(field JobState)"
nothing_lost "scancel" "$f" "job-$job.out"
cancelled=job-$job.out
# shellcheck disable=SC2086
submit $small "$slurm/run.sbatch" many.yaml --results hand --resume
expect_end "after scancel" COMPLETED 0:0
cat job-*.out >all.out
nothing_lost "after scancel" "$f" "$cancelled"
is_whole "after scancel" "$f" 60

# ---- an array and its merge ----
part "an array"
mkdir parts
for k in 1 2 3; do sed "s/fib/part-$k-fib/; s/name: six/name: part-$k/" six.yaml >parts/$k.yaml; done
submit --ntasks=2 --cpus-per-task=1 --array=1-4 --output=array-%a.out "$slurm/array.sbatch" parts
array=$job
submit --dependency=afterany:"$array" "$slurm/merge.sbatch" "results/$array"
expect_end "the merge" COMPLETED 0:0
is_whole "the merge" "results/$array/all.h5" 18
expect_in "parts has no manifest number 4" array-4.out "an array longer than its folder"
expect_not_in "squeue does not tell" array-3.out "an array"
finish
