#!/bin/sh
# every_type.sh PROVERUN: a job of each type, and `verify` on its results file: it computes the statement again from what is
# recorded, so that one byte changed in any output, or in a job's public data, is refused with the job's name.
set -u
. "$(dirname "$0")/common.sh"
HERE=$TOP/tests/app
printf 'some bytes to hash\n' >bytes
printf 'public x\ny = x * x\noutput y\n' >circuit
cat >types.yaml <<Y
version: 1
name: types
defaults: { profile: fast }
jobs:
  - { id: j-air, type: air, params: { case: $TOP/jobs/air/two_sizes.json } }
  - { id: j-blake2s, type: blake2s, params: { path: bytes } }
  - { id: j-data_pipeline, type: data_pipeline, params: { operation: sum, input: 3 5 7 } }
  - { id: j-file_hash, type: file_hash, params: { path: bytes } }
  - { id: j-generic_compute, type: generic_compute, params: { program: $TOP/jobs/generic_compute/label_changes.asm, input: 3 5 5 } }
  - { id: j-mlp_inference, type: mlp_inference, params: { model: $TOP/jobs/mlp_inference/model.h5, images: $TOP/jobs/mlp_inference/digits.h5, count: 3 } }
  - { id: j-plonk, type: plonk, params: { circuit: circuit, values: x=3 } }
  - { id: j-poseidon2_merkle, type: poseidon2_merkle, params: { input: 3 1 4 1 5 } }
  - { id: j-sha256, type: sha256, params: { path: bytes } }
  - { id: j-state_machine, type: state_machine, params: { x: 5, y: 9, x_steps: 20, y_steps: 7 } }
  - { id: j-vm, type: vm, params: { program: $TOP/jobs/vm/programs/fibonacci.asm, input: 30 } }
  - { id: j-wide_fibonacci, type: wide_fibonacci, params: { log_rows: 5, columns: 4, seed: 7 } }
Y
expect 0 air --list
awk '{ print "j-" $1 }' out | sort >all
sed -n 's/^  - { id: \([^,]*\),.*/\1/p' types.yaml | sort | cmp -s - all || fail "not a job of each type: $(cat all)"
n=$(wc -l <all)
expect 0 run types.yaml --results r
file=$(cat out)
expect 0 verify "$file"
says out "$n proofs good, 0 bad"
if ! /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
    echo "no h5py here: nothing is changed"
    finish
fi
grep -v wide_fibonacci all >with_outputs # whose statement is its public data alone
/usr/bin/python3 "$TOP/jobs/mlp_inference/accuracy.py" "$file" >out || fail "accuracy.py"
says out '^3 of 3 images: 1.0000$'
for kind in first last public; do # output, output, data
    cp "$file" changed.h5
    /usr/bin/python3 "$HERE/change_outputs.py" changed.h5 $kind || fail "cannot change $kind"
    changed=with_outputs reason='output .* differs from that of the statement'
    [ $kind = public ] && changed=all reason=
    expect 1 verify changed.h5
    says out " $(wc -l <$changed) bad"
    while read -r id; do says out "^bad: $id: $reason"; done <$changed
done
finish
