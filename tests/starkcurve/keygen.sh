#!/bin/sh
# keygen.sh PROVERUN: the command as its users meet it.
set -eu
proverun=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "$*" >&2 && exit 1; }

public=$("$proverun" keygen "$dir/a.key")
echo "$public" | grep -Eqx '0x[0-9a-f]{64}' || fail "no public key: $public"
[ "$(stat -c %a "$dir/a.key")" = 600 ] || fail "mode"
[ "$("$proverun" keygen --public "$dir/a.key")" = "$public" ] || fail "--public differs"
code=0
"$proverun" keygen "$dir/a.key" 2>"$dir/error" || code=$?
[ $code = 74 ] && grep -q "$dir/a.key.*exists" "$dir/error" || fail "an existing key was not kept: $code $(cat "$dir/error")"

(umask 077 && echo 'correct horse' >"$dir/word")
"$proverun" keygen "$dir/b.key" --passphrase-file "$dir/word" >/dev/null
grep -q '^sealed argon2id ' "$dir/b.key" || fail "not sealed"
chmod 644 "$dir/word"
code=0
"$proverun" keygen "$dir/c.key" --passphrase-file "$dir/word" 2>"$dir/error" || code=$?
[ $code != 0 ] && grep -q 'lets others read' "$dir/error" || fail "a passphrase that others can read was taken"
[ ! -e "$dir/c.key" ] || fail "a key was made all the same"
code=0
"$proverun" keygen 2>"$dir/error" || code=$?
[ $code = 2 ] || fail "no FILE: $code"
"$proverun" keygen --help | grep -q 'keygen - make a key file' || fail "no help"
