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

# a run of its own, simulated: its jobs, and 400 times as many, which two ranks share
printf 'version: 1\nname: tiny\ndefaults: { profile: fast }\njobs:\n%s\n' \
    '  - { id: fib, type: wide_fibonacci, params: { log_rows: 4, columns: 3, seed: [1, 2, 3, 4, 5] } }' >"$folder/m.yaml"
# Open MPI unloads parts of itself that still hold memory, which the address sanitizer cannot tell from a leak
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 "$proverun" run "$folder/m.yaml" --results "$folder/r" --threads 1 \
    >"$folder/out" 2>"$folder/err" || fail "run: $(cat "$folder/err")"
file=$(tail -n 1 "$folder/out")
"$proverun" simulate --ranks 3 --times "$file" --json >"$folder/a"
"$proverun" simulate --ranks 1,2 --times "$file" --jobs 2000 --json >>"$folder/a"
"$proverun" simulate --ranks 1 --times "$file" --jobs 12 --behind-ms 0 | grep -q "^times of $file, .*" || fail "the table does not tell its file"
python3 - "$folder/a" <<'PYTHON' || fail "--times: $(cat "$folder/a")"
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert [r["done"] for r in rows] == [5, 2000, 2000]
assert all(r["mix"] == "times" and r["makespan_s"] >= r["bound_s"] for r in rows)
assert rows[1]["bound_s"] > 1.5 * rows[2]["bound_s"] > 0
PYTHON
status=0
"$proverun" simulate --times "$folder/m.yaml" 2>"$folder/err" || status=$?
[ "$status" = 74 ] || fail "--times without results: exit $status"
"$proverun" simulate --help | grep -q 'rank 0' || fail "help"
