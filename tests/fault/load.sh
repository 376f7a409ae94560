#!/bin/sh
# What a batch of tiny jobs costs rank 0: at most a millisecond a job (median), and memory that has a bound.
#   load.sh PROVERUN RANKS JOBS
set -u
RANKS=$2 JOBS=$3
. "$(dirname "$0")/../app/common.sh"
MAX_MS=1 MAX_MB=900 # 512 MiB of records may wait for a slow disk (cluster/keeper.h)

{
    printf 'version: 1\nname: load\ndefaults: { profile: fast }\njobs:\n'
    printf '  - { id: fib, type: wide_fibonacci, params: { log_rows: 4, columns: 4, seed: ['
    seq -s ', ' 1 "$JOBS"
    printf '] } }\n'
} >load.yaml
mpirun -n "$RANKS" "$PROVERUN" run load.yaml --results r --threads 1 >out 2>err
rc=$?
[ $rc = 0 ] || { fail "$JOBS jobs on $RANKS ranks: exit code $rc" && tail -n 5 err; }
says err "complete: $JOBS of $JOBS jobs done (0 of them before), 0 failed"
# "proverun: rank 0: 0.104 ms a job (median), ..., journal 331.2 MB, results 240.1 MB, 334.2 MB of memory"
load=$(sed -n 's/^proverun: rank 0: //p' err)
echo "$JOBS jobs on $RANKS ranks: $load"
ms=${load%% ms a job (median)*}
mb=${load% MB of memory*}
mb=${mb##*, }
awk "BEGIN { exit !($ms > 0 && $ms <= $MAX_MS) }" || fail "rank 0 spent $ms ms a job, more than $MAX_MS"
awk "BEGIN { exit !($mb > 0 && $mb <= $MAX_MB) }" || fail "rank 0 needed $mb MB, more than $MAX_MB"
file=$(cat out)
expect 0 journal check "$file"
finish
