#!/bin/sh
# encrypt.sh PROVERUN: runs whose results are encrypted, opened, verified, refused.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../app/common.sh"

for name in owner other; do "$PROVERUN" keygen $name.key >$name.pub || fail "keygen"; done
public=$(cat owner.pub)
head -c 3000 "$PROVERUN" >input
cat >plain.yaml <<'Y'
version: 1
name: sealed
defaults: { profile: fast }
jobs:
  - id: file
    type: file_hash
    params: { path: input }
  - id: fib
    type: wide_fibonacci
    params: { log_rows: [5, 6], columns: 4, seed: 7 }
  - id: gone
    type: file_hash
    params: { path: no-such-file }
Y
sed 's/profile: fast/profile: fast, encrypt_to: owner.pub/; s/id: file$/id: file/' plain.yaml >sealed.yaml
expect 1 run plain.yaml --results plain
plain=$(cat out)
expect 0 show "$plain" --table outputs
cp out outputs
digest=$(grep -Eo '[0-9a-f]{48,}' outputs | head -n 1)
[ -n "$digest" ] || fail "no digest among the outputs"

# ---- nothing of the outputs is in any file ----
expect 1 run sealed.yaml --results results
file=$(cat out)
grep -raq "$digest" plain || fail "the plain run's files do not have the output: this would prove nothing"
if grep -raq "$digest" results; then fail "files have the output in the clear: $(grep -ral "$digest" results)"; fi
expect 0 show "$file" --table outputs
if grep -q "$digest" out; then fail "show knows the outputs"; fi
expect 0 show "$file" --table jobs
says out "$public"

# ---- the owner ----
expect 0 decrypt "$file" --key owner.key
says out "^file.*$digest"
says err '3 encrypted jobs opened, 0 not'
expect 0 verify "$file" --key owner.key
says out '3 proofs good, 0 bad, 1 jobs without a proof'

# ---- everybody else ----
expect 1 decrypt "$file" --key other.key
says err "encrypted to $public"
says err '0 encrypted jobs opened, 3 not'
if grep -q "$digest" out; then fail "another key opened it"; fi
expect 1 verify "$file"
says out "not verified: file: encrypted to $public"
says out '0 proofs good, 0 bad'
says out '3 encrypted and not verified'
expect 1 verify "$file" --key other.key
says out 'bad: file: encrypted to'
chmod 644 owner.key
expect 1 decrypt "$file" --key owner.key
says err 'only 0600 or 0400'
chmod 600 owner.key
expect 2 decrypt "$file"
expect 74 decrypt "$file" --key nothing.key

# ---- the results file is made again from the journal, which is encrypted too ----
rm "$file"
expect 1 run sealed.yaml --results results --resume
[ "$(cat out)" = "$file" ] || fail "not made again"
expect 0 verify "$file" --key owner.key
expect 0 verify "$plain"

# ---- approved by another rank, then encrypted ----
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none \
    OMPI_MCA_btl_vader_single_copy_mechanism=none
timeout 300 mpirun -n 2 "$PROVERUN" run sealed.yaml --results ranks >out 2>err
shared=$(ls ranks/sealed-*.h5)
[ -s "$shared" ] || fail "no results of two ranks"
expect 0 show "$shared"
[ "$(grep -c ' approved ' out)" = 3 ] || fail "not approved"
if grep -raq "$digest" ranks; then fail "files of two ranks have the output in the clear"; fi
expect 0 verify "$shared" --key owner.key
says out '3 proofs good, 0 bad'

# ---- a passphrase ----
(umask 077 && echo word >word)
"$PROVERUN" keygen locked.key --passphrase-file word >locked.pub
sed "s/encrypt_to: owner.pub/encrypt_to: \"$(cat locked.pub)\"/" sealed.yaml >locked.yaml
expect 1 run locked.yaml --results locked
file=$(cat out)
expect 1 decrypt "$file" --key locked.key
says err 'sealed with a passphrase'
expect 0 decrypt "$file" --key locked.key --passphrase-file word
says out "$digest"
(umask 077 && echo other >not-the-word && : >empty)
expect 1 decrypt "$file" --key locked.key --passphrase-file not-the-word
says err 'wrong passphrase'
silent
expect 2 decrypt "$file" --key locked.key --passphrase-file empty
says err 'no passphrase; allowed: a first line of 1 to 1022 bytes'
expect 74 decrypt "$file" --key locked.key --passphrase-file no-such-file
expect 1 decrypt "$file" --key owner.key --passphrase-file word
says err 'not sealed, but a passphrase was given'

# ---- bytes that were changed ----
if python3 -c 'import h5py' 2>/dev/null; then
    cat >change.py <<'P'
import sys, h5py
what, at = sys.argv[1:]
with h5py.File("changed.h5", "r+") as f:
    if what in ("proofs", "public_data"):  # one bit: of the ephemeral key, the nonce, the text or the tag
        row = f[what + "/index"][0]
        f[what + "/data"][int(row["offset"]) + int(at) % int(row["length"])] ^= 1
    else:  # each has the other's bytes, or says another statement
        rows = f[what][:]
        for column in at.split(","):
            rows[column][1:3] = rows[column][2:0:-1]
        f[what][...] = rows
P
    while read -r what at words; do
        cp "$shared" changed.h5
        chmod u+w changed.h5
        python3 change.py "$what" "$at" || fail "$what $at could not be changed"
        expect 1 decrypt changed.h5 --key owner.key
        says err "fi.*: $words"
        grep -q 'encrypted jobs opened, [12] not$' err || fail "$what $at: $(tail -n 1 err)"
        expect 1 verify changed.h5 --key owner.key
        says out '^bad: fi'
    done <<'K'
proofs 0 encrypted to another key, or changed since
proofs 33 encrypted to another key, or changed since
proofs 60 encrypted to another key, or changed since
proofs -1 encrypted to another key, or changed since
public_data 0 encrypted to another key, or changed since
public_data 60 encrypted to another key, or changed since
public_data -1 encrypted to another key, or changed since
public_data/index offset,length encrypted to another key, or changed since
jobs statement_digest encrypted to another key, or changed since
K
fi

# ---- manifests ----
sed 's/owner.pub/nobody.pub/' sealed.yaml >bad.yaml
expect 2 run bad.yaml --results bad
says err 'bad.yaml:.*encrypt_to of job.*nobody.pub'
sed 's/owner.pub/"0x5x"/' sealed.yaml >bad.yaml
expect 2 run bad.yaml --results bad
says err 'bad.yaml:3:.*encrypt_to'
sed 's/owner.pub/owner.pub, encrypt: yes/' sealed.yaml >bad.yaml
expect 2 run bad.yaml --results bad
says err 'did you mean `encrypt_to`'
sed 's/type: file_hash/type: file_hash\n    encrypt_to: none/' sealed.yaml >mixed.yaml
expect 1 run mixed.yaml --results mixed
file=$(cat out)
expect 1 verify "$file"
says out '1 proofs good, 0 bad'
expect 0 show "$file" --table outputs
says out "$digest"
finish
