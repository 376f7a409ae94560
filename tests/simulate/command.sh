#!/bin/sh
# `proverun simulate` as its users meet it.   sh command.sh PROVERUN
set -eu
proverun=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

trouble='--lost-per-hour 1 --silent-per-hour 5 --slow-share 0.1 --crash-share 0.05'
# shellcheck disable=SC2086
"$proverun" simulate --ranks 8,100 --mix small --seed 7 $trouble --json >"$folder/a"
# shellcheck disable=SC2086
"$proverun" simulate --ranks 8,100 --mix small --seed 7 $trouble --json >"$folder/b"
cmp "$folder/a" "$folder/b" || fail "equal options, unequal results"
"$proverun" simulate --ranks 8,100 --mix small --seed 8 --json >"$folder/c"
cmp -s "$folder/a" "$folder/c" && fail "another seed, the same result"
python3 - "$folder/a" <<'PYTHON' || fail "JSON lines"
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert [r["ranks"] for r in rows] == [8, 100]
assert all(r["seed"] == 7 and r["done"] + r["failed"] + r["left"] == r["jobs"] for r in rows)
PYTHON
"$proverun" simulate --ranks 8 --seed 12345 | grep -q 'seed 12345' || fail "the table does not tell its seed"
for bad in '--ranks 0' '--ranks 8,x' '--mix large' '--slow-share 2' '--slow-share nan' '--jobs 0' 'ranks' '--unknown 3' \
    '--slow-factor 0.5' '--ranks 1 --coordinator-only'; do
    status=0
    # shellcheck disable=SC2086
    "$proverun" simulate $bad >"$folder/out" 2>"$folder/err" || status=$?
    [ "$status" = 2 ] || fail "$bad: exit $status"
    grep -q '^proverun: ' "$folder/err" || fail "$bad: no message"
done
"$proverun" simulate --help | grep -q 'rank 0' || fail "help"
