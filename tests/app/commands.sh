#!/bin/sh
# Every subcommand: help, wrong use, the round trip of a case, and damaged input. No run over MPI.
set -u
jobs=$(cd "$(dirname "$0")/../../jobs" && pwd)
. "$(dirname "$0")/common.sh"

# ---- help ----
commands=$("$PROVERUN" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 9 ] || fail "commands are missing from the help"
for c in $commands; do
    expect 0 "$c" --help
    for section in NAME SYNOPSIS DESCRIPTION 'EXIT CODES' EXAMPLE; do says out "^$section\$"; done
    [ -s err ] && fail "help of $c on standard error"
    cp out help
    for words in "$c -h" "help $c" "$c something --help"; do
        # shellcheck disable=SC2086
        expect 0 $words
        cmp -s out help || fail "'$words' differs from '$c --help'"
    done
    expect 2 "$c" --no-such-option
    silent
    # what the help names is an option, and the reverse is true of what is refused
    for option in $(grep -oE '^ +(COMMON:|PROOF:)? *--[a-z-]+' help | grep -oE -e '--[a-z-]+'); do
        case "$c $option" in 'version --version' | 'bench --'*) continue ;; esac
        timeout 120 "$PROVERUN" "$c" "$option" >out 2>err </dev/null
        grep -q 'is not an option here' err && fail "$c does not know $option of its help"
    done
done
expect 0 --help
for c in $commands; do says out "^  $c "; done
expect 2
says err Commands
expect 2 nonsense
says err "no command 'nonsense'; allowed: run show"
expect 2 help nonsense
expect 2 version extra
expect 0 --version
says out '^proverun [0-9]'
says out 'HDF5 [0-9].*zstd [0-9].*libsodium [0-9]'

# ---- standard output that cannot be written ----
for words in version --help 'air --list' 'air wide_fibonacci --example' 'bench field --repeat 1'; do
    # shellcheck disable=SC2086
    "$PROVERUN" $words >/dev/full 2>err
    [ $? = 74 ] || fail "$words: a full disk under standard output is not told"
    says err 'standard output'
done

# ---- programs for the VM ----
programs=$(dirname "$0")/../../jobs/vm/programs
expect 0 vm run "$programs/fibonacci.asm" --input 30
says out '^end: halted$'
says out '^steps: 190$'
says out '^outputs: 832040$'
expect 0 vm run "$programs/fibonacci.asm" --input 0x1e --trace
says out '^ *190 .* HALT'
expect 0 vm asm "$programs/sort.asm" --output sort.bin
expect 0 vm disasm sort.bin --output sort.asm
expect 0 vm asm sort.asm --output again.bin
cmp -s sort.bin again.bin || fail 'a disassembled program is another one'
expect 0 vm run again.bin --input '2.5 -1.0 0.5'
says out '^outputs: 3212836864 1056964608 1075838976$'
printf 'ADD r1, r1, r40\nHALT\n' >bad.asm
expect 2 vm asm bad.asm
says err 'bad.asm:1:13: no name .r40.'
expect 2 vm link bad.asm
says err 'allowed: run, asm, disasm'
expect 2 vm run
expect 1 vm run missing.asm
expect 1 vm run "$programs/fibonacci.asm" --input 30 --max-steps 189
says err 'still runs after 189 steps'
expect 2 vm run "$programs/fibonacci.asm" --input '1 x'
says err "input:1:3: 'x' is not a number"

# ---- wrong use ----
expect 2 bench
expect 2 bench nonsense
says err 'allowed: wide-fibonacci, poseidon2, jobs, fft, merkle, commit, grind, field'
for words in 'fft --log-rows 3' 'fft --log-rows 25' 'fft --columns 0' 'merkle --threads 0' 'merkle --backend gpu' \
    'field --repeat x' 'field --repeat' 'field extra' 'poseidon2 --queries 0' 'wide-fibonacci --fold-step -1' \
    'wide-fibonacci --log-rows 8 --columns 2' 'wide-fibonacci --pow-bits 1e3' 'fft --log-blowup 5' 'commit --columns 3' 'grind --pow-bits 33'; do
    # shellcheck disable=SC2086
    expect 2 bench $words
    silent
done
for bench in 'fft --columns 2' 'merkle --columns 2' 'commit --columns 4' 'commit --columns 4 --backend cuda-emu' \
    'grind --pow-bits 9' 'poseidon2 --queries 3 --pow-bits 0' \
    'wide-fibonacci --columns 5 --queries 3 --pow-bits 0'; do
    # shellcheck disable=SC2086
    expect 0 bench $bench --log-rows 6 --repeat 2 --threads 1
    [ "$(grep -c '^{"bench":.*}$' out)" = 2 ] || fail "bench $bench: not two lines of JSON"
done
says out '"insecure_parameters":true'
printf 'version: 1\nname: b\njobs: [{id: f, type: wide_fibonacci, profile: fast, params: {log_rows: [4, 5], columns: 4, seed: 1}}]\n' >b.yaml
expect 0 bench jobs b.yaml --repeat 2 --threads 1
[ "$(grep -c '^{"bench":"wide_fibonacci","id":"f-[12]".*"cpu_ms":{"trace":[0-9.]*,.*"accepted":true.*}$' out)" = 4 ] ||
    fail "bench jobs: not two lines of each job"
says out '"create_ms":[0-9.]*,'
for isa in scalar avx2; do # of traces and the verifier too
    if "$PROVERUN" bench jobs b.yaml --repeat 1 --backend "$isa" >out 2>err; then
        says out "\"backend\":\"$isa\",\"instructions\":\"$isa\""
    else
        says err 'cannot run on this machine'
    fi
done
expect 2 bench jobs
says err 'needs a manifest'
expect 2 bench jobs b.yaml b.yaml
expect 0 air wide_fibonacci --example
cp out calibrated.json
export PROVERUN_CALIBRATION="$WORK/machine/calibration.yaml"
expect 0 plan calibrated.json --threads 1
says out '"expected_from":"built-in'
expect 0 bench calibrate --repeat 1
[ "$(grep -c '^{"bench":"calibrate".*}$' out)" = 11 ] || fail "bench calibrate: not eleven lines of JSON"
says machine/calibration.yaml '^version: 2$'
says machine/calibration.yaml '^cell_ns: [0-9]'
says machine/calibration.yaml '^verify_byte_ns: [0-9]'
expect 0 plan calibrated.json --threads 1
says out '"expected_ms":[0-9.]*,"expected_from":"constants measured on this processor'
says out '"expected_proof_bytes":[1-9][0-9]*,"verify_ms":0.[0-9]*,"first_verify_ms":0.[0-9]*,"expected_ms"'
expect 2 bench calibrate --backend poison
says err 'allowed: '
expect 2 air
expect 2 air nonsense
says err 'allowed: air, blake2s, '
expect 2 air wide_fibonacci log_rows
expect 2 air wide_fibonacci log_rows=99
says err '4 to 24'
expect 2 air wide_fibonacci --example --profile nonsense
says err 'fast, standard, conservative'
expect 2 air wide_fibonacci --example seed=1
expect 1 air file_hash path=not-there
says err 'not-there'

# ---- from a job type to a verified proof, and back ----
cp "$jobs/mlp_inference/model.h5" "$jobs/mlp_inference/digits.h5" "$jobs/plonk/cubic.txt" "$jobs/air/two_sizes.json" . # examples name them
for type in $("$PROVERUN" air --list); do
    expect 0 air "$type" --example --asm
    says out '^component '
    expect 0 air "$type" --example --trace --profile fast
    cp out case.json
    expect 0 check case.json
    says out '^all hold'
    expect 0 plan case.json --threads 1
    says out '"total_bytes":[1-9]'
    expect 0 prove case.json --out "$type.json" --transcript steps.json --threads 1
    says out '"prove_ms":'
    says err 'insecure parameters'
    says steps.json '"op":"mix_root"'
    expect 0 verify case.json "$type.json"
    says out '^accepted (.*insecure parameters'
    expect 0 prove case.json --out - --backend scalar
    cmp -s ./- "$type.json" || fail "$type: another proof on another backend"
    rm ./-
    # the statement alone suffices to verify and to plan, not to prove or check
    expect 0 air "$type" --example --profile fast
    cp out bare.json
    expect 0 verify bare.json "$type.json"
    sed '$s/}$/,"trace_file":"gone.h5"}/' bare.json >gone.json
    expect 0 verify gone.json "$type.json"
    expect 2 check gone.json
    says err 'gone.h5: cannot be opened'
    expect 0 plan bare.json
    expect 2 check bare.json
    expect 2 prove bare.json --out x.json
    says err 'no trace'
    # another statement
    expect 0 air "$type" --example --profile standard
    cp out other.json
    expect 1 verify other.json "$type.json"
    says out '^rejected: '
done
# through links, so that a program that replaces them breaks no device
ln -s /dev/null null
ln -s /dev/full full
expect 0 prove case.json --out null
[ -c null ] || fail "a device was replaced by a file"
expect 74 prove case.json --out full
expect 74 prove case.json --out no-such-folder/x.json

# ---- a trace that violates its constraints ----
sed 's/"trace":\[\[\[[0-9]*,/"trace":[[[5,/' case.json >wrong.json
cmp -s case.json wrong.json && fail "the trace was not changed"
expect 1 check wrong.json
says out '^violated'
says out 'constraint'
expect 1 prove wrong.json --out wrong-proof.json
[ -e wrong-proof.json ] && fail "a proof that does not verify was written"

# ---- damaged envelopes and cases ----
head -c 900 "$type.json" >cut.json
: >empty
printf '\000\377' >bytes
for file in cut.json empty bytes not-there .; do
    expect 2 verify case.json "$file"
    silent
done
expect 1 verify case.json case.json
awk '{ n = index($0, "\"sampled_values\""); head = substr($0, 1, n + 40); tail = substr($0, n + 41)
       if (match(tail, /[0-9][0-9][0-9]+/)) tail = substr(tail, 1, RSTART) (substr(tail, RSTART + 1, 1) + 1) % 10 substr(tail, RSTART + 2)
       print head tail }' "$type.json" >changed.json
cmp -s changed.json "$type.json" && fail "the envelope was not changed"
expect 1 verify case.json changed.json
says out '^rejected: '
for command in check plan 'prove --out x.json' "verify $type.json"; do
    for file in cut.json empty bytes not-there .; do
        case $command in
        verify*) expect 2 verify "$file" "$type.json" ;;
        # shellcheck disable=SC2086
        *) expect 2 $command "$file" ;;
        esac
        says err "$file"
    done
done
expect 2 verify
expect 2 verify a b c
expect 2 plan case.json --threads 0
expect 2 plan case.json --backend nonsense
says err 'allowed: auto, scalar, avx2, avx512, poison'
finish
