#!/bin/sh
# votes.sh PROVERUN: a run of four ranks, then what an auditor does with its file: verify, audit, inclusion proofs; and
# whatever of the votes was changed afterwards is named.
set -u
. "$(dirname "$0")/common.sh"
HERE=$TOP/tests/app
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_btl_vader_single_copy_mechanism=none

cat >jobs.yaml <<'Y'
version: 1
name: votes
defaults: { profile: fast }
jobs:
  - { id: fib, type: wide_fibonacci, params: { log_rows: [5, 6], columns: 4, seed: [7, 8] } }
Y
mpirun -n 4 "$PROVERUN" run jobs.yaml --results r >out 2>err || fail "the run: $(tail -n 3 err)"
file=$(cat out)
says err 'committees of 3 of 4 ranks, never the prover; a verification takes [0-9.]* to [0-9.]* ms, .* go to voters$'
run=$(basename "$file" .h5)

rows() { # TABLE N
    expect 0 show "$file" --table "$1"
    [ "$(wc -l <out)" -ge $(($2 + 1)) ] || fail "/$1 has $(($(wc -l <out) - 1)) rows, not $2"
}
rows validators 4
rows votes 12
rows certificates 4
rows consensus 4
rows batches 1
rows views 0
rows evidence 0

for command in verify audit; do
    expect 0 $command "$file"
    says out '4 proofs good, 0 bad'
    says out '4 validators, 4 certificates, .* 0 evidence: 0 bad'
done
says out '^validator 3 (.*): [1-9][0-9]* votes, 0 wrong, 0 double$'
says out '^0 of 4 validators are shown to have signed wrongly, 0 were removed$'
expect 2 audit
expect 2 audit "$file" "$file"
expect 74 audit jobs.yaml

# ---- by the auditor's own list of validators ----
"$PROVERUN" show "$file" --table validators | awk 'NR > 1 { print $2, $3 }' >keys
sed 1d keys >fewer
{ sed -n 2p keys && sed -n 1p keys && sed 1,2d keys; } >swapped
sed '3s/ 1$/ 2/' keys >richer
sed 's/ /  stake /' keys >wordy
for command in verify audit; do
    expect 0 $command "$file" --validators keys
    says out '0 evidence: 0 bad'
    expect 1 $command "$file" --validators fewer
    says out '^bad: consensus: 3 validators were given, the file names 4$'
    expect 1 $command "$file" --validators swapped
    [ "$(grep -c '^bad: validator [01]: its key or its stake is not the one given$' out)" = 2 ] || fail "swapped: $(cat out)"
    expect 1 $command "$file" --validators richer
    says out '^bad: validator 2: its key or its stake is not the one given$'
    expect 2 $command "$file" --validators wordy
    says err 'wordy:1: not `KEY STAKE`'
    expect 74 $command "$file" --validators no-such-file
done

# made again from the journal, it says the same
expect 0 show "$file" --table certificates
mv out certificates
expect 0 repair "$file"
expect 0 show "$file" --table certificates
cmp -s out certificates || fail "a repaired file has other certificates"
expect 0 verify "$file"
says out '4 certificates.*: 0 bad'

# a merged file has the proofs alone, and says so
expect 0 merge "$file" -o merged.h5
expect 0 verify merged.h5
says out 'certificates are in the files that were merged'
expect 0 show merged.h5 --table jobs
says out '^outcome *merged$'
! grep -q '^outcome *approved$' out || fail "a merged file says approved"

# ---- what a kill has kept out of the journal, but not off rank 0's own disk, is there after a resume ----
for percent in 30 60 90; do
    rm -rf resumed && cp -r r resumed
    size=$(wc -c <"resumed/$run.journal")
    head -c $((size * percent / 100)) "r/$run.journal" >"resumed/$run.journal"
    mpirun -n 4 "$PROVERUN" run jobs.yaml --results resumed --resume "$run" >out 2>err || fail "resumed at $percent: $(cat err)"
    expect 0 verify "resumed/$run.h5"
    says out '4 proofs good, 0 bad'
    says out '4 validators, .*: 0 bad'
    [ "$("$PROVERUN" show "resumed/$run.h5" --table certificates | wc -l)" = 5 ] || fail "resumed at $percent: certificates"
done

# ---- nobody votes, and nobody says that somebody did ----
printf 'version: 1\nconsensus: { committee: 0 }\n' >nobody.yaml
expect 0 run jobs.yaml --config nobody.yaml --results unvoted
zero=$(cat out)
expect 0 show "$zero"
[ "$(grep -c '^fib-. .* unvoted ' out)" = 4 ] || fail "not unvoted: $(cat out)"
expect 0 audit "$zero"
says out '4 proofs good, 0 bad'
says out 'consensus: no votes are on record'
expect 1 audit "$zero" --validators keys
says out '^bad: consensus: 4 validators were given, the file names 0$'
says "${zero%.h5}.prom" '^proverun_consensus_rounds_total{outcome="unvoted"} 4$'

# ---- inclusion ----
expect 0 prove-inclusion "$file" fib-3 -o fib-3.inclusion
expect 0 prove-inclusion "$run" fib-3 --results r
cmp -s out fib-3.inclusion || fail "a run's id and its file give different proofs"
expect 0 verify-inclusion fib-3.inclusion --results "$file"
says out "^included: job fib-3 of run $run: approved$"
hash=$("$PROVERUN" show "$file" --table jobs | awk '$1 == "id" { id = $2 } $1 == "proof_hash" && id == "fib-3" { print $2 }')
says out "^proof $hash$"
root=$(sed -n 's/^root \([0-9a-f]*\), .*/\1/p' out)
expect 0 verify-inclusion fib-3.inclusion --root "$root"
says out 'who signed it was not checked'
expect 0 verify-inclusion fib-3.inclusion --root "$root" --validators keys
says out 'signed by a quorum of the validators given'
expect 1 verify-inclusion fib-3.inclusion --root "$root" --validators fewer
expect 1 verify-inclusion fib-3.inclusion --root "$(printf '%064d' 1)"
says out 'refused: .*another root'
expect 1 verify-inclusion fib-3.inclusion --root "$(printf '%064d' 1)" --validators keys
sed 's/^job fib-3/job fib-2/' fib-3.inclusion >other
expect 1 verify-inclusion other --results "$file"
says out 'refused: .*another job'
sed 's/^run .*/run other/' fib-3.inclusion >other
expect 1 verify-inclusion other --results "$file"
expect 1 verify-inclusion other --root "$root" --validators keys
for line in proof certificate; do # the last digit of each
    sed "/^$line /{s/[0-7]\$/f/;t;s/.\$/0/;}" fib-3.inclusion >changed
    expect 1 verify-inclusion changed --results "$file"
    says out '^refused: '
done
# any digit of it, here every 31st: nothing in the file is idle
bytes=$(wc -c <fib-3.inclusion)
at=0
while [ $((at += 31)) -lt "$bytes" ]; do
    digit=$(tail -c +$at fib-3.inclusion | head -c 1 | tr '0-9a-f\n' '1-9a-f0x')
    { head -c $((at - 1)) fib-3.inclusion && printf %s "$digit" && tail -c +$((at + 1)) fib-3.inclusion; } >changed
    cmp -s changed fib-3.inclusion && continue
    expect 1 verify-inclusion changed --root "$root" --validators keys
done
head -c 300 fib-3.inclusion >cut
expect 1 verify-inclusion cut --root "$root"
expect 1 prove-inclusion "$file" nobody
says err 'job `nobody` has no outcome'
expect 1 prove-inclusion merged.h5 fib-3
expect 2 prove-inclusion "$file"
expect 2 verify-inclusion fib-3.inclusion
expect 2 verify-inclusion fib-3.inclusion --root 12
expect 2 verify-inclusion fib-3.inclusion --root "$root" --results "$file"

# ---- what was changed is named ----
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
    while read -r kind words; do
        cp "$file" changed.h5
        /usr/bin/python3 "$HERE/tamper_votes.py" changed.h5 "$kind" || fail "$kind could not be changed"
        expect 1 verify changed.h5
        says out '4 proofs good, 0 bad'
        says out "^bad: $words"
    done <<'K'
certificate certificate of fib-.: .*wrong signature
vote vote 0 .*: wrong signature
verdict vote 0 .*: the row is not what its bytes say
batch batch .*: .*wrong signature
swap certificate of fib-.: it is about another job
rename certificate of fib-.: it is about another job
prover certificate of fib-.: it is about another job, attempt or proof than its row
n_votes certificate of fib-.: the row counts others than its bytes
n_signers batch .*: the row counts others than its bytes
lost fib-.: approved, but no certificate that holds names its proof
key consensus: this key is registered already
removal validator 3: removed for equivocation by its row, for none by evidence
outcome batch .*: the outcomes in /consensus are not those that were signed
size fib-.: approved, but no certificate
drop fib-.: approved, but no certificate
K
    for kind in stripped merged; do # every such job is named, by both commands
        cp "$file" changed.h5
        /usr/bin/python3 "$HERE/tamper_votes.py" changed.h5 $kind || fail "$kind could not be changed"
        for command in verify audit; do
            expect 1 $command changed.h5
            [ $command = audit ] || says out '4 proofs good, 0 bad'
            [ "$(grep -c '^bad: fib-.: approved, but no certificate' out)" = 4 ] || fail "$command: $kind names too few"
        done
    done
    cp "$file" changed.h5
    /usr/bin/python3 "$HERE/tamper_votes.py" changed.h5 outcome
    expect 1 prove-inclusion changed.h5 fib-1
fi
finish
