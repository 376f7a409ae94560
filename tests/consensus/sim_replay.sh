#!/bin/sh
# The same seed is the same run, and what fails prints a seed that fails in the same way.
#   sh sim_replay.sh SIM
set -eu
sim=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { echo "$*" >&2 && exit 1; }

for seed in 7 112 8690; do
    "$sim" --seed $seed --trace | grep -v 'CPU time' >"$scratch/one"
    "$sim" --seed $seed --trace | grep -v 'CPU time' >"$scratch/two"
    cmp "$scratch/one" "$scratch/two" || fail "seed $seed is not the same run twice"
    [ "$(wc -l <"$scratch/one")" -gt 100 ] || fail "seed $seed tells too little"
done

# A journal that is written after what it should precede, and one that loses what it had: both are noticed.
for sabotage in send-before-write lose-written; do
    ! "$sim" --seeds 2000 --sabotage $sabotage >"$scratch/out" || fail "nobody notices: $sabotage"
    seed=$(sed -n 's/^replay: sim --seed \([0-9]*\).*/\1/p' "$scratch/out")
    ! "$sim" --seed "$seed" --sabotage $sabotage >"$scratch/again" || fail "seed $seed does not fail again"
    [ "$(grep FAILED "$scratch/out")" = "$(grep FAILED "$scratch/again")" ] || fail "seed $seed fails otherwise"
done
