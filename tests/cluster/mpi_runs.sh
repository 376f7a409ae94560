#!/bin/sh
# Whole runs under mpirun with 1, 2 and 4 ranks: outcomes, exit codes, what stands on which stream, a missing input, a
# bad manifest, resume after SIGKILL, drain, damaged results files.
#   mpi_runs.sh PROVERUN PROVERUN_FAULTY MPI_SHIM      (tests/child: proverun with PROVERUN_TEST_FAULTS)
set -u
. "$(dirname "$0")/common.sh"
FAULTY=$(realpath "$2") MPI_SHIM=$3

# run N ARGUMENTS...: streams to out and err, exit code to RC
run() {
    n=$1
    shift
    if [ "$n" = 0 ]; then "$PROVERUN" run "$@" >out 2>err; else mpirun -n "$n" "$PROVERUN" run "$@" >out 2>err; fi
    RC=$?
}
h5_of_run() { tail -n 1 out; }
count() { grep -c -- "$1" "$2"; }

printf 'small file' >input.txt
cat >small.yaml <<Y
version: 1
name: small
defaults: { profile: fast }
jobs:
  - id: fib
    type: wide_fibonacci
    params: { log_rows: [4, 6], columns: 10, seed: 7 }
  - id: file
    type: file_hash
    params: { path: input.txt }
Y
sed 's/path: input.txt/path: not-there.txt/' small.yaml >missing.yaml
sed 's/log_rows/log_row/; s/file_hash/file_hsh/' small.yaml >bad.yaml

for n in 0 1 2 4; do
    outcome=approved
    [ "$n" -le 1 ] && outcome=self_verified
    run "$n" small.yaml --results "r$n"
    expect_rc 0 "small, $n ranks"
    [ "$(wc -l <out)" = 1 ] || fail "$n ranks: standard output is not one line"
    f=$(h5_of_run)
    case "$f" in r"$n"/small-*.h5) ;; *) fail "$n ranks: '$f' is not a results file" ;; esac
    "$PROVERUN" show "$f" >table
    [ "$(count " $outcome " table)" = 3 ] || fail "$n ranks: not 3 jobs $outcome"
    [ "$(count "insecure parameters" table)" = 3 ] || fail "$n ranks: insecure parameters are not shown"
    expect_in "insecure parameters" err "$n ranks"
    "$PROVERUN" verify "$f" >answer || fail "verify of $f"
    expect_in "3 proofs good, 0 bad" answer "verify"
    expect_in 'proverun_jobs_total{outcome="'$outcome'"} 3' "${f%.h5}.prom" "metrics"
    expect_in "proverun_run_complete 1" "${f%.h5}.prom" "metrics"
done

# a verifier that is another rank than the prover
"$PROVERUN" show "$f" --table jobs >rows
awk '$1 == "prover_rank" { p = $2 } $1 == "verifier_rank" && $2 == p { exit 1 }' rows || fail "a rank verified its own proof"

# readers that are not ours, where the machine has them
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
    /usr/bin/python3 "$HERE/../store/read_with_h5py.py" "$f" 3 || fail "h5py"
fi
if command -v promtool >/dev/null; then
    promtool check metrics <"${f%.h5}.prom" >answer 2>&1 || fail "promtool: $(cat answer)"
fi
run 0 "$HERE/../../configs/manifest.yaml" --results template
expect_rc 0 "the template of manifests"
expect_in "6 of 6 jobs done" err "the template of manifests"

# from another working folder, with a metrics file of its own and JSON logs
mkdir elsewhere && cd elsewhere || exit 1
export LD_PRELOAD="$MPI_SHIM" PR_YIELD_LOG="$PWD/yields" OMPI_MCA_mpi_yield_when_idle=1
run 2 ../small.yaml --metrics m.prom --log json
unset LD_PRELOAD PR_YIELD_LOG OMPI_MCA_mpi_yield_when_idle
expect_rc 0 "from elsewhere"
# a supervisor that looks for messages keeps the processor, whatever Open MPI was told
[ "$(count '^looks [1-9][0-9]* yields 0 ' yields)" = 2 ] || fail "looking for messages gives the processor away: $(cat yields)"
[ -s m.prom ] || fail "no metrics file"
grep -v '^{.*}$' err && fail "a line on standard error is not JSON"
case "$(h5_of_run)" in results/small-*.h5) ;; *) fail "results/ is not the default folder" ;; esac
# of a tiny job a supervisor hears once; where nobody votes, nobody may fetch its proof, and it stays in memory
{
    printf 'version: 1\nname: tiny\ndefaults: { profile: fast }\njobs:\n'
    printf '  - { id: fib, type: wide_fibonacci, params: { log_rows: 4, columns: 4, seed: [%s] } }\n' "$(seq -s ', ' 1 200)"
} >tiny.yaml
printf 'version: 1\nconsensus: { committee: 0 }\n' >nobody.yaml
export LD_PRELOAD="$MPI_SHIM" PR_YIELD_LOG="$PWD/counts"
run 2 tiny.yaml --config nobody.yaml --threads 1
unset LD_PRELOAD PR_YIELD_LOG
expect_rc 0 "tiny jobs without votes"
frames=$(awk '{ n += $6 } END { print n }' counts)
[ "$frames" -le 210 ] || fail "the children sent $frames frames for 200 jobs"
[ "$(awk '{ n += $8 } END { print n }' counts)" = 0 ] || fail "files of proofs that nobody fetches: $(cat counts)"
cd ..

for n in 0 3; do
    run "$n" missing.yaml --results "missing$n"
    expect_rc 1 "missing input, $n ranks"
    f=$(h5_of_run)
    "$PROVERUN" show "$f" >table
    expect_in "^file .* failed .*not-there.txt" table "missing input"
    [ "$(count '^fib-' table)" = 2 ] || fail "the other jobs did not run"
    "$PROVERUN" verify "$f" >answer || fail "verify after a failed job"
    # the input is there now: a resume runs that job alone
    cp input.txt not-there.txt
    run "$n" missing.yaml --results "missing$n" --resume --retry-failed
    expect_rc 0 "resume after the input came"
    [ "$(h5_of_run)" = "$f" ] || fail "resume wrote another file"
    expect_in "2 of them before" err "resume"
    "$PROVERUN" show "$f" >table
    [ "$(count ' failed ' table)" = 0 ] || fail "the failed row is still there"
    rm not-there.txt
done

for n in 0 3; do
    run "$n" bad.yaml --results bad
    expect_rc 2 "bad manifest, $n ranks"
    expect_in "bad.yaml:7:15: .*log_row.*log_rows, columns, seed" err "bad manifest"
    expect_in "bad.yaml:9:11: .*file_hsh.*file_hash" err "bad manifest"
    [ "$(count 'bad.yaml:7:15' err)" = 1 ] || fail "the problem is not told once"
    [ -e bad ] && fail "a bad manifest made a folder"
    [ -s out ] && fail "a bad manifest wrote to standard output"
done
run 2 small.yaml --no-such-option
expect_rc 2 "unknown option"
run 0 small.yaml --resume --results nothing-here
expect_rc 2 "nothing to resume"
run 0 small.yaml --resume no-such-run --results r0
expect_rc 2 "no such run"
sed 's/seed: 7/seed: 8/' small.yaml >changed.yaml
run 2 changed.yaml --resume --results r0
expect_rc 2 "changed jobs"
expect_in "fib-1.*other content" err "changed jobs"
sed 's/^defaults/# a remark\ndefaults/' small.yaml >edited.yaml
run 0 edited.yaml --resume --results r0
expect_rc 0 "a remark more changes no job"
: >plain-file
run 0 small.yaml --results plain-file/x
expect_rc 74 "results folder that cannot be"

# ---- what a run can do without ----
mkdir -p plain/latest
run 0 small.yaml --results plain --metrics no-such-folder/m.prom
expect_rc 0 "no metrics, no link"
expect_in "latest: cannot make the link" err "no link"
expect_in "the metrics are not written.*no-such-folder/m.prom" err "no metrics"
[ "$(count "the metrics are not written" err)" = 1 ] || fail "the metrics' trouble is not told once"

# ---- killed in the middle ----
seeds=$(seq -s ', ' 1 60)
cat >long.yaml <<Y
version: 1
name: long
jobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: 12, columns: 60, seed: [$seeds] } }]
Y
mkdir k
before=0
for want in 3 10 20; do
    resume=--resume
    [ $want = 3 ] && resume=
    close_gate $((want + 5))
    : >err # else await may see the lines of the run before
    mpirun -n 3 "$FAULTY" run long.yaml $HELD --results k $resume >out 2>err &
    PID=$!
    await '^\[' $((want - before)) # and up to five more while it dies
    kill -9 $PID
    wait $PID
    announced=$((before + $(grep -c '^\[' err)))
    await_gone
    f=$(ls k/*.h5)
    "$PROVERUN" repair "$f" >answer || fail "repair after SIGKILL: $(cat answer)"
    "$PROVERUN" show "$f" >table
    before=$(count ' approved ' table)
    echo "killed: $announced jobs announced, $before in the file"
    [ "$before" -ge "$announced" ] || fail "$announced jobs were announced, $before are in the file"
done
run 3 long.yaml --results k --resume
expect_rc 0 "resume after SIGKILL"
expect_in "60 of 60 jobs done ($before of them before), 0 failed" err "resume after SIGKILL"
[ "$(ls k/*.h5)" = "$f" ] || fail "a resume made another file"
"$PROVERUN" verify "$f" >answer || fail "verify after resume"
expect_in "60 proofs good, 0 bad" answer "verify after resume"

# ---- asked to stop ----
for signal in USR1 TERM; do
    for n in 0 3; do
        [ $signal = TERM ] && [ $n = 3 ] && continue # mpirun's own end, its exit code
        dir=stop-$signal-$n
        close_gate 5
        : >err # else await may see the lines of the run before
        if [ $n = 0 ]; then
            "$FAULTY" run long.yaml $HELD --results $dir >out 2>err &
        else
            mpirun -n $n "$FAULTY" run long.yaml $HELD --results $dir >out 2>err &
        fi
        PID=$!
        await '^\[' 3
        kill -$signal $PID
        await 'nothing new is started' 1
        open_gate
        wait $PID
        RC=$?
        expect_rc 75 "SIG$signal, $n ranks"
        expect_in "interrupted" err "SIG$signal"
        f=$(h5_of_run)
        [ -s "$f" ] || fail "SIG$signal, $n ranks: no results file"
        "$PROVERUN" verify "$f" >answer || fail "verify after SIG$signal"
        id=$(basename "$f" .h5)
        run $n long.yaml --results $dir --resume "$id"
        expect_rc 0 "resume after SIG$signal, $n ranks"
    done
done

# ---- damaged results files ----
f=$(ls r4/*.h5)
"$PROVERUN" show "$f" --table proofs >index
size=$(wc -c <"$f")
# one byte of one proof: found where the proof's first bytes lie, through h5dump's chunk at its offset in the file
first=$(LC_ALL=C grep -obUaP '\x28\xb5\x2f\xfd' "$f" | head -n 1 | cut -d: -f1)
cp "$f" flipped.h5
byte=$(od -An -tu1 -j $((first + 40)) -N 1 "$f")
printf %b "\\0$(printf %o $((byte ^ 255)))" | dd of=flipped.h5 bs=1 seek=$((first + 40)) conv=notrunc 2>/dev/null
"$PROVERUN" verify flipped.h5 >answer 2>err
[ $? = 1 ] || fail "a flipped byte of a proof is not found"
[ "$(count '^bad: ' answer)" = 1 ] || fail "not one bad proof is named"
expect_in "2 proofs good, 1 bad" answer "flipped byte"
for part in 1 2 3 5 9; do
    head -c $((size * part / 10)) "$f" >cut.h5
    "$PROVERUN" verify cut.h5 >answer 2>err
    rc=$?
    [ $rc = 1 ] || [ $rc = 74 ] || fail "a cut file: exit code $rc"
done
for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
    cp "$f" noise.h5
    noise=$(awk -v seed=$seed 'BEGIN { srand(seed); for (i = 0; i < 64; i++) printf "\\0%03o", int(256 * rand()) }')
    printf %b "$noise" | dd of=noise.h5 bs=64 count=1 seek=$((size * seed / 13 / 64)) conv=notrunc 2>/dev/null
    for command in verify show; do
        "$PROVERUN" $command noise.h5 >answer 2>err
        rc=$?
        [ $rc -le 1 ] || [ $rc = 74 ] || fail "$command of a damaged file, seed $seed: exit code $rc"
    done
done
"$PROVERUN" verify small.yaml >answer 2>err
[ $? = 74 ] || fail "verify of a text"

finish "all runs as they should be"
