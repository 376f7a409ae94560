#!/bin/sh
# A wrong device in whole runs: every proof that cuda-emu makes has a wrong bit (PROVERUN_CUDA_FLIP), so each is refused by
# its own rank's verification; the job goes on on the plain processor backend, is approved there, and its row and the
# attempts say so.
#   runs.sh PROVERUN
set -u
PROVERUN=$1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
D=$(mktemp -d "${TMPDIR:-/tmp}/proverun-cuda-XXXXXX")
trap 'rm -rf "$D"' EXIT
cd "$D" || exit 1
export TMPDIR="$D" # Open MPI's session folders: nobody else's
FAILED=0
fail() {
    echo "FAILED: $*"
    FAILED=1
    [ -s err ] && sed 's/^/  | /' err
}
cat >m.yaml <<Y
version: 1
name: m
defaults: { profile: fast, retries: 2 }
jobs:
  - { id: one, type: wide_fibonacci, params: { log_rows: 8, columns: 30, seed: 1 } }
Y

# ---- a good device ----
mpirun -n 2 "$PROVERUN" run m.yaml --backend cuda-emu --results good >out 2>err || fail "a good device: exit code $?"
"$PROVERUN" show "$(tail -n 1 out)" --table attempts >attempts
[ "$(awk '{ print $1, $2, $3, $6 }' attempts | grep '^one ')" = "one 1 proved cuda-emu" ] || fail "attempts: $(cat attempts)"

# ---- many jobs: a rank proves several at a time, of two AIRs, and all are approved; the proofs are the same ----
sed 's/seed: 1/seed: [1, 2, 3, 4, 5, 6, 7]/; s/id: one/id: many/' m.yaml >many.yaml
sed -n 's/id: one/id: other/; s/columns: 30, seed: 1/columns: 12, seed: [1, 2, 3, 4, 5]/; /other/p' m.yaml >>many.yaml
mpirun -n 2 "$PROVERUN" run many.yaml --backend cuda-emu --results many >out 2>err || fail "many jobs: exit code $?"

"$PROVERUN" show "$(tail -n 1 out)" --table jobs >rows
"$PROVERUN" show "$(ls good/*.h5)" --table jobs >row
value() { awk -v name="$1" '$1 == name { print $2 }' "$2"; }
[ "$(value proof_hash rows | grep -c "$(value proof_hash row)")" = 1 ] || fail "another proof: $(cat rows)"
# Of each rank the most proofs that were in the making at a moment, of those at which one was begun.
most_at_a_time() {
    awk '{ v[$1] = v[$1] " " $2 }
        END {
            n = split(v["started_ns"], from, " "); split(v["finished_ns"], to, " "); split(v["prover_rank"], rank, " ")
            for (i = 1; i <= n; i++) {
                count = 0
                for (k = 1; k <= n; k++) count += rank[k] == rank[i] && from[k] <= from[i] && from[i] < to[k]
                if (count > most) most = count
            }
            print most
        }' "$1"
}
[ "$(most_at_a_time rows)" -ge 3 ] || fail "at most $(most_at_a_time rows) proofs at a time"
[ "$(value outcome rows | grep -c "^approved$")" = 12 ] || fail "many jobs: $(cat rows)"

# ---- what a benchmark counts ----
"$PROVERUN" bench wide-fibonacci --log-rows 6 --columns 5 --pow-bits 0 --repeat 1 --backend cuda-emu >line 2>err ||
    fail "bench: exit code $?"
grep -q '"extend":{"launches":1,"read_bytes":[1-9][0-9]*,"written_bytes":[1-9]' line || fail "no counts: $(cat line)"

# Every stage has its time, its bytes, those that were counted, and its share of the rate of copies.
tr '{}' '\n\n' <line >parts
for stage in extend merkle composition samples quotients fri open; do
    awk -v stage="\"$stage\":" -v rate="$(sed 's/.*"copy_bytes_per_second":\([0-9]*\).*/\1/' line)" '
        function field(name) { match($0, "\"" name "\":[0-9.]+"); return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 }
        index(before, stage) && /"share_of_copy_rate"/ { ms = field("ms"); moved = field("moved_bytes"); share = field("share_of_copy_rate") }
        index(before, stage) && /"read_bytes"/ { counted = field("read_bytes") + field("written_bytes") }
        { before = $0 }
        END {
            of_rate = moved / (ms / 1e3) / rate
            exact = moved == counted || stage ~ /fri/ && moved < counted && counted < moved + 131072 # nonces that are tried
            exit !(ms > 0 && moved > 0 && exact && share > of_rate * 0.99 - 1e-6 && share < of_rate * 1.01 + 1e-6)
        }' parts || fail "bench: stage $stage: $(cat line)"
done
grep -q '"times":"emulated"' line || fail "times that are not said to be emulated: $(cat line)"

# ---- proofs in a row ----
"$PROVERUN" bench wide-fibonacci --log-rows 6 --columns 5 --pow-bits 0 --repeat 1 --steady 3 --backend cuda-emu >lines 2>err ||
    fail "bench --steady: exit code $?"
tail -n 1 lines | grep -q '"steady":3,.*"proofs_per_second":[0-9.]*,.*"single_ms":[0-9.]*,"accepted":true' ||
    fail "bench --steady: $(cat lines)"

# ---- proofs side by side: as many launches a proof as of one prover, each FRI a graph ----
for k in 1 3; do
    "$PROVERUN" bench wide-fibonacci --log-rows 6 --columns 5 --pow-bits 0 --repeat 1 --steady 7 --provers $k --backend cuda-emu \
        >lines 2>err || fail "bench --provers $k: exit code $?"
    tail -n 1 lines | grep -q "\"steady\":7,\"provers\":$k,.*\"proofs_per_second\":[0-9.]*,.*\"accepted\":true" ||
        fail "bench --provers $k: $(cat lines)"
    tail -n 1 lines | grep -o '"launches_per_proof.*waits_per_proof":[0-9.]*' >counts$k
done
grep -q '"graph_launches_per_proof":[1-9]' counts1 && cmp -s counts1 counts3 || fail "side by side: $(cat counts1 counts3)"
"$PROVERUN" bench wide-fibonacci --log-rows 6 --columns 5 --repeat 1 --steady 7 --provers 2 --backend scalar >lines 2>err &&
    fail "several provers on processors"
grep -q "need a device" err || fail "no word on devices: $(cat err)"

# ---- a limit of device memory: the same proof, its columns streamed ----
bench() { "$PROVERUN" bench wide-fibonacci --log-rows 8 --columns 30 --pow-bits 0 --repeat 1 --backend cuda-emu "$@"; }
bench >line 2>err && bench --device-memory 96KiB >limited 2>err || fail "bench --device-memory: exit code $?"
grep -q '"far_bytes":0,' line && grep -q '"far_bytes":[1-9]' limited || fail "streamed: $(cat line limited)"
digest() { sed 's/.*"proof_json_blake2s":"\([0-9a-f]*\)".*/\1/' "$1"; }
[ "$(digest line)" = "$(digest limited)" ] || fail "a streamed proof has other bytes"
mpirun -n 2 "$PROVERUN" run m.yaml --backend cuda-emu --device-memory 96KiB --results least >out 2>err ||
    fail "a limited device: exit code $?"
"$PROVERUN" show "$(tail -n 1 out)" --table attempts >attempts
[ "$(awk '{ print $1, $2, $3, $6 }' attempts | grep '^one ')" = "one 1 proved cuda-emu" ] || fail "attempts: $(cat attempts)"
"$PROVERUN" show "$(tail -n 1 out)" --table jobs | grep '^predicted_bytes' >limited_bytes
"$PROVERUN" show "$(ls good/*.h5)" --table jobs | grep '^predicted_bytes' >bytes
cmp -s bytes limited_bytes && fail "the limit does not reach the prover: $(cat bytes)"
bench --device-memory 24kB >line 2>err && fail "a size without a unit that there is"
grep -q "like 24GiB" err || fail "no word on sizes"

# ---- one that errs in the fourth operation of every proof ----
PROVERUN_CUDA_FLIP=4 mpirun -n 2 "$PROVERUN" run m.yaml --backend cuda-emu --results bad >out 2>err ||
    fail "a wrong device: exit code $?"
f=$(tail -n 1 out)
"$PROVERUN" show "$f" --table attempts >attempts
awk '{ print $1, $2, $3, $6 }' attempts | grep '^one ' >brief
[ "$(head -n 1 brief)" = "one 1 wrong cuda-emu" ] || fail "no first attempt on cuda-emu: $(cat attempts)"
tail -n 1 brief | grep -q " proved " || fail "not proved in the end: $(cat attempts)"
! tail -n 1 brief | grep -q "cuda-emu" || fail "the last attempt is the wrong device's: $(cat attempts)"
"$PROVERUN" show "$f" --table jobs >jobs
grep -q "^cpu_fallbacks *[1-9]" jobs || fail "no fallback in the row: $(cat jobs)"
"$PROVERUN" verify "$f" >answer 2>&1 || fail "verify: $(cat answer)"
grep -q "1 proofs good, 0 bad" answer || fail "verify: $(cat answer)"

# ---- one that is lost, and one that has not the memory: the job goes on on the processor, at once ----
expect_fallback() { # NAME REASON: of the run in out
    "$PROVERUN" show "$(tail -n 1 out)" --table attempts >attempts
    awk '{ print $1, $2, $3, $6 }' attempts | grep '^one ' >brief
    [ "$(head -n 1 brief)" = "one 1 failed cuda-emu" ] || fail "$1: the first attempt: $(cat attempts)"
    grep -q "$2" attempts || fail "$1: no reason: $(cat attempts)"
    tail -n 1 brief | grep -q '^one 2 proved' || fail "$1: no second attempt: $(cat attempts)"
    tail -n 1 brief | grep -q cuda-emu && fail "$1: the second attempt is on the device: $(cat attempts)"
    "$PROVERUN" show "$(tail -n 1 out)" --table jobs | grep -q "^cpu_fallbacks *1" || fail "$1: no fallback in the row"
    "$PROVERUN" show "$(tail -n 1 out)" --table events >events
    grep "backend" events | grep -q "$2" || fail "$1: no event: $(cat events)"
}
PROVERUN_CUDA_LOSE=3 mpirun -n 2 "$PROVERUN" run m.yaml --backend cuda-emu --results lost --metrics "$D/lost.prom" >out 2>err ||
    fail "a lost device: exit code $?"
expect_fallback "a lost device" "the device is lost"
grep -q '^proverun_backend_failures_total 1$' lost.prom || fail "no failure in the metrics: $(cat lost.prom)"
mpirun -n 2 "$PROVERUN" run m.yaml --backend cuda-emu --device-memory 16KiB --results full >out 2>err ||
    fail "a full device: exit code $?"
expect_fallback "a full device" "of device memory"

# ---- one that is lost while several proofs are on it: those whose turn it is fail, what was begun ahead counts for nothing ----
PROVERUN_CUDA_LOSE=3 mpirun -n 2 "$PROVERUN" run many.yaml --backend cuda-emu --results many-lost >out 2>err ||
    fail "a device lost under many: exit code $?"
"$PROVERUN" show "$(tail -n 1 out)" --table jobs >rows
"$PROVERUN" show "$(tail -n 1 out)" --table attempts >attempts
[ "$(value outcome rows | grep -c '^approved$')" = 12 ] || fail "a device lost under many: $(cat rows)"
[ "$(grep -c 'failed.*cuda-emu' attempts)" -le 6 ] || fail "more than three failures of each rank: $(cat attempts)"
grep -q 'proved.*cuda-emu' attempts && fail "a lost device has proven: $(cat attempts)"

[ $FAILED = 0 ] && echo "a wrong device is found, and the job goes on"
exit $FAILED
