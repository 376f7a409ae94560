#!/bin/sh
# status, journal, repair and merge as their users meet them, on runs of one rank.
#   commands.sh PROVERUN
set -u
. "$(dirname "$0")/../app/common.sh"
PYTHON=/usr/bin/python3

manifest() { # NAME SEEDS
    printf 'version: 1\nname: %s\ndefaults: { profile: fast }\njobs:\n' "$1"
    printf '  - { id: fib, type: wide_fibonacci, params: { log_rows: 5, columns: 4, seed: [%s] } }\n' "$2"
}
start() { # MANIFEST FOLDER: runs it; FILE and LOG
    expect 0 run "$1" --results "$2"
    FILE=$(cat out)
    LOG=${FILE%.h5}.journal
}
flip() { # FILE OFFSET
    printf '%b' "\\0$(printf '%o' $(($(od -An -tu1 -j"$2" -N1 "$1") ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
offset_of() { # JOB: of its record in $LOG
    "$PROVERUN" journal show "$LOG" --json | sed -n "s/.*\"type\":\"record\".*\"offset\":\([0-9]*\),.*\"job\":\"$1\".*/\1/p"
}
manifest one '1, 2, 3' >one.yaml
start one.yaml r

# ---- a whole journal ----
expect 0 journal check "$FILE"
says out 'good frames in 1 segments.*all is well'
expect 0 journal show "$LOG"
[ "$(grep -c ' record ' out)" = 3 ] || fail "not three records"
says out ' session_end '
expect 0 journal show "$LOG" --json
[ "$(grep -c '^{"sequence":' out)" = "$(wc -l <out)" ] || fail "a line that is no frame"
if [ -x $PYTHON ]; then
    $PYTHON -c 'import json,sys
for k, line in enumerate(open("out")): assert json.loads(line)["sequence"] == k' || fail "journal show --json"
fi
for words in 'journal' 'journal show' "journal look $LOG" 'repair' 'repair no-such.h5' 'merge' "merge $FILE" 'status no-such-run' \
    'status a b' 'status --results nowhere'; do
    # shellcheck disable=SC2086
    expect 2 $words
    silent
done
expect 74 journal check no-such.journal
printf 'proverun journal 1\nmore' >old.journal
expect 1 journal check old.journal
says err 'version 1; this program reads version 2'

# ---- the documentation ----
if $PYTHON -c 'import h5py' 2>/dev/null; then
    mkdir -p results && ln -sfn "../$FILE" results/latest
    $PYTHON "$TOP/tests/store/doc_snippets.py" "$TOP/docs/results.md" || fail "docs/results.md is not true"
fi

# ---- status ----
[ ! -e results/latest ] || expect 0 status
expect 0 status "$(basename "$FILE" .h5)" --results r
says out 'complete, session 1'
says out 'done 3, failed 0, running 0'
expect 0 status "$FILE" --json
if [ -x $PYTHON ]; then
    $PYTHON -c 'import json
s = json.load(open("out"))
assert s["done"] == 3 and s["outcomes"]["self_verified"] == 3 and not s["running"] and not s["damaged"], s' || fail "status --json"
fi

# ---- repair ----
"$PROVERUN" show "$FILE" --table jobs >before
printf 'rubbish' >"$FILE"
expect 0 repair "$FILE"
says out 'nothing lost'
"$PROVERUN" show "$FILE" --table jobs | cmp -s - before || fail "the repaired file is another"
expect 0 verify "$FILE"
says out '3 proofs good, 0 bad'
cp "$LOG" whole.journal

# a torn end is no damage
truncate -s -5 "$LOG"
expect 0 journal check "$LOG"
says out 'torn end'
expect 0 repair "$FILE"
expect 0 verify "$FILE"

# a record that is broken: named; taken from the old file where there is one
for keep in yes no; do
    cp whole.journal "$LOG"
    rm -f r/*.damaged
    expect 0 repair "$FILE"
    flip "$LOG" $(($(offset_of fib-2) + 200))
    expect 1 journal check "$LOG"
    says out 'corrupt bytes .*a record of job fib-2'
    expect 1 status "$FILE"
    says out 'journal is damaged'
    expect 74 run one.yaml --results r --resume
    [ $keep = no ] && printf 'rubbish' >"$FILE"
    expect 1 repair "$FILE"
    [ $keep = yes ] || says out "^nothing saved from the results file: $FILE: "
    says out 'lost: .*a record of job fib-2'
    [ -f "$LOG.damaged" ] || fail "the damaged journal is not kept"
    expect 0 journal check "$LOG"
    expect 0 verify "$FILE"
    if [ $keep = yes ]; then
        says out '3 proofs good'
    else
        says out '2 proofs good'
        expect 0 run one.yaml --results r --resume
        says err '3 of 3 jobs done (2 of them before)'
        expect 0 verify "$FILE"
        says out '3 proofs good'
    fi
done

# ---- merge: two manifests that share jobs ----
A=$FILE
manifest two '1, 2, 3' >two.yaml # the same jobs, one more
printf '  - { id: other, type: wide_fibonacci, params: { log_rows: 5, columns: 4, seed: 8 } }\n' >>two.yaml
start two.yaml s
B=$FILE
expect 0 merge "$A" "$B" -o merged.h5
says out '0 conflicts'
expect 0 verify merged.h5
says out '4 proofs good, 0 bad, 0 jobs without'
expect 2 merge "$A" "$B" -o merged.h5
expect 0 show merged.h5 --table provenance
says out '^input.2.run_id'
says out '^manifest_text.1'
expect 0 merge merged.h5 "$B" -o again.h5
expect 0 verify again.h5
says out '4 proofs good, 0 bad'
manifest three '1, 7, 3' >three.yaml
start three.yaml s
expect 1 merge "$A" "$FILE" -o conflict.h5
says out 'conflict: job `fib-2` .* other content'
expect 0 verify conflict.h5
says out '3 proofs good, 0 bad'
head -c 1000 "$B" >cut.h5
expect 74 merge "$A" cut.h5 -o no.h5
[ ! -e no.h5 ] || fail "a merge that failed left a file"
finish
