#!/bin/sh
# `proverun plan` of manifests: the columns, the committee after configuration, ranks and stakes, jobs that cannot be
# planned among others that can, and mistakes with their place.
set -u
. "$(dirname "$0")/common.sh"
export PROVERUN_CALIBRATION="$WORK/none.yaml"

number() { # FILE ID FIELD: a number of the job's line; ID total: of the last line
    sed -n "/^{\"$([ "$2" = total ] && echo total || echo "id\":\"$2")\"/s/.*\"$3\":\([0-9.]*\)[,}].*/\1/p" "$1"
}
is() { # WHAT A B
    [ -n "$2" ] && [ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"
}
less() { # WHAT A B
    awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && b != "" && a + 0 < b + 0) }' || fail "$1: '$2' is not less than '$3'"
}

cat >good.yaml <<'END'
version: 1
name: good
jobs:
  - id: fib
    type: wide_fibonacci
    params: { log_rows: [10, 12], columns: 100, seed: 7 }
  - id: weak
    type: wide_fibonacci
    profile: fast
    params: { log_rows: 6, columns: 8 }
END
expect 0 plan good.yaml --ranks 4 --threads 1
says out '^fib-1 *wide_fibonacci *10 *100 '
says out '^weak .*  insecure parameters$'
says out '^3 of 3 jobs planned; 1 with insecure parameters'
says out '^4 ranks of 1 thread.*: about .* s, verification included'
says out '^memory of a rank: .* MiB at most (fib-2)'
says out '^committees of 3 of 4 ranks, never the prover; a verification takes .* go to voters$'
says out '^approval takes 3 votes, stakes being equal$'
says out '^times are estimated from built-in constants of another machine; .proverun bench calibrate'
[ "$(grep -c 'insecure parameters$' out)" = 1 ] || fail 'not one job is insecure'

expect 0 plan good.yaml --ranks 4 --threads 1 --json
[ "$(grep -c '^{.*}$' out)" = 4 ] || fail 'not a line of JSON for each job and one for all'
says out '^{"id":"fib-1","type":"wide_fibonacci","profile":"standard","log_rows":10,"columns":100,"cells":102400,"constraints":98,'
says out '"id":"weak".*"insecure_parameters":true}'
says out '^{"total":true,"jobs":3,"planned":3,"never_run":0,"insecure":1,"ranks":4,"threads":1,"outcome":"approved","committee":3,"stake":"equal","quorum":3,'
says out '"calibrated":false,"expected_from":"built-in'
is 'voters of a job' "$(number out fib-1 voters)" 3
is 'bytes to voters' "$(number out fib-1 sent_bytes)" \
    $((3 * ($(number out fib-1 expected_proof_bytes) + $(number out fib-1 public_bytes))))
is 'bytes to voters in all' "$(number out total sent_bytes)" \
    $(($(number out fib-1 sent_bytes) + $(number out fib-2 sent_bytes) + $(number out weak sent_bytes)))
is 'memory of a rank' "$(number out total rank_memory_bytes)" "$(number out fib-2 memory_bytes)"
less 'a proof and its bound' "$(number out fib-2 expected_proof_bytes)" "$(number out fib-2 max_proof_bytes)"
less 'verification' "$(number out weak verify_ms)" "$(number out fib-2 verify_ms)"
less 'four ranks and one after the other' "$(number out total expected_s)" "$(number out total proving_s)"
cp out four
# the case of one of the jobs says the same
expect 0 air wide_fibonacci log_rows=12 columns=100 seed=7
cp out fib.json
expect 0 plan fib.json --threads 1
for field in cells constraints expected_ms expected_proof_bytes max_proof_bytes verify_ms; do
    is "$field" "$(number four fib-2 $field)" "$(sed -n "s/.*\"$field\":\([0-9.]*\),.*/\1/p" out)"
done
is memory "$(number four fib-2 memory_bytes)" "$(sed -n 's/.*"total_bytes":\([0-9]*\),.*/\1/p' out)"
cp out plain
expect 0 plan fib.json --threads 1 --json
cmp -s out plain || fail 'a case is not planned as JSON alike with and without --json'
expect 2 plan fib.json --ranks 2
says err 'fib.json: --ranks, .* go with a manifest'

# ---- who votes ----
total() { # PATTERN, ARGUMENTS
    pattern=$1
    shift
    expect 0 plan good.yaml --json --threads 1 "$@"
    says out "^{\"total\":true.*$pattern"
}
printf 'version: 1\nconsensus: { committee: 0 }\n' >none.yaml
printf 'version: 1\nconsensus: { committee: 2 }\n' >two.yaml
total '"ranks":1,"threads":1,"outcome":"self_verified","committee":0,"stake":"equal","quorum":null,' --ranks 1
is 'bytes to nobody' "$(number out total sent_bytes)" 0
is 'verification by nobody' "$(number out total verification_s)" 0.000000
less 'one rank proves and verifies' "$(number out total proving_s)" "$(number out total expected_s)"
alone=$(number out total expected_s)
less 'four ranks and one' "$(number four total expected_s)" "$alone"
total '"ranks":1,'
expect 0 plan good.yaml
says out '^one rank has nobody to vote on its proofs: outcomes are self_verified$'
total '"outcome":"unvoted","committee":0,' --ranks 4 --config none.yaml
total '"outcome":"unvoted","committee":0,' --ranks 1 --config none.yaml
expect 0 plan good.yaml --ranks 4 --config none.yaml
says out '^nobody votes (.committee: 0.): outcomes are unvoted$'
total '"outcome":"approved","committee":2,"stake":"equal","quorum":2,' --ranks 10 --config two.yaml
total '"outcome":"approved","committee":4,"stake":"equal","quorum":3,' --ranks 10
total '"outcome":"approved","committee":1,"stake":"equal","quorum":1,' --ranks 2
total '"ranks":2,' --ranks 2 --coordinator-only
less 'two ranks of which one proves, and both' "$(number four total expected_s)" "$(number out total expected_s)"
printf 'rank-0 5\nrank-1 2\nrank-2 9\n' >stakes.txt
printf 'version: 1\nconsensus: { stake: stakes.txt }\n' >stakes.yaml
total '"committee":2,"stake":"stakes.txt","quorum":null,' --ranks 3 --config stakes.yaml
expect 2 plan good.yaml --ranks 4 --config stakes.yaml
says err 'stakes.txt: 3 stakes for 4 ranks'
expect 2 plan good.yaml --ranks 2 --config stakes.yaml
says err '^proverun: .*stakes.txt:3:1: more than 2 ranks'
printf 'version: 1\nconsensus: { committee: 300 }\n' >many.yaml
expect 2 plan good.yaml --config many.yaml
says err 'many.yaml:2:25: '

# ---- jobs that cannot be planned, and what comes after them ----
cat >mixed.yaml <<'END'
version: 1
name: mixed
jobs:
  - id: first
    type: wide_fibonacci
    params: { log_rows: 6, columns: 8 }
  - { id: missing, type: file_hash, params: { path: not-there } }
  - id: later
    type: wide_fibonacci
    params: { log_rows: 7, columns: 8 }
    after: [missing]
  - id: broken
    type: vm
    params: { code: "ADD r1, r1, r40" }
  - id: last
    type: wide_fibonacci
    params: { log_rows: 8, columns: 8 }
END
expect 1 plan mixed.yaml --threads 1
says err '^mixed.yaml:7:5: job .missing.: .*not-there: cannot open'
says err '^mixed.yaml:12:5: job .broken.: .*r40'
says out '^missing  *file_hash  *cannot be planned$'
for id in first later last; do says out "^$id  *wide_fibonacci  *[678] "; done
says out '^3 of 5 jobs planned; 1 of them cannot run'
expect 1 plan mixed.yaml --threads 1 --json
[ "$(grep -c '^{.*}$' out)" = 6 ] || fail 'not a line of JSON for each job and one for all'
says out '^{"id":"missing","type":"file_hash","profile":"standard","error":"mixed.yaml:7:5: job .missing.: '
says out '^{"total":true,"jobs":5,"planned":3,"never_run":1,'

# ---- mistakes of the manifest: as of `run`, nothing is planned ----
printf 'version: 1\nname: bad\njobs:\n  - id: a\n    type: nonsense\n  - id: b\n    type: vm\n    params: { steps: 4 }\n' >bad.yaml
expect 2 plan bad.yaml
silent
says err '^bad.yaml:5:11: '
says err '^bad.yaml:8:15: .*steps'
printf 'version: 1\nname: bad\njobs: [{ id: a, type: wide_fibonacci, params: { log_rows: 4 }, encrypt_to: no.pub }]\n' >keys.yaml
expect 2 plan keys.yaml
silent
says err '^keys.yaml:3:.*no.pub'
expect 2 plan missing.yaml
says err 'missing.yaml'
expect 2 plan good.yaml --ranks 0
says err '1 to 4096'
expect 2 plan good.yaml good.yaml
finish
