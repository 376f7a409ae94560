#!/bin/sh
# Runs as their users meet them: odd paths, all forms of --resume, full disks, a terminal, provenance, damage.
set -u
. "$(dirname "$0")/common.sh"

cat >small.yaml <<'Y'
version: 1
name: small
defaults: { profile: fast }
jobs:
  - id: fib
    type: wide_fibonacci
    params: { log_rows: [5, 6], columns: 4, seed: 7 }
Y

# ---- odd paths; the last line on standard output is the path alone, and every form of --resume finds it ----
mkdir 'a folder ü'
cp small.yaml 'a folder ü/my jobs.yaml'
manifest='a folder ü/my jobs.yaml'
expect 0 run "$manifest" --results 'résultats/of today'
file=$(cat out)
[ "$(wc -l <out)" = 1 ] || fail "standard output is not the path alone"
[ -s "$file" ] || fail "no results file '$file'"
id=$(basename "$file" .h5)
for form in "--resume=$id" "--resume=$PWD/$file" --resume; do
    expect 0 run "$manifest" --results 'résultats/of today' "$form"
    says err '2 of 2 jobs done (2 of them before)'
    [ "$(basename "$(cat out)")" = "$id.h5" ] || fail "$form found another run"
done
expect 0 run --resume "$id" "$manifest" --results 'résultats/of today'
expect 0 run "$manifest" --resume "$file" --results elsewhere
[ -e elsewhere ] && fail "a resumed run made another folder"
ln -s 'résultats/of today' link
expect 0 run "$manifest" --results link --resume
# the results file is lost, its journal is there: it is made again; names may have dots
sed 's/name: small/name: a.b.h5/' small.yaml >dots.yaml
for form in newest id; do
    expect 0 run dots.yaml --results lost
    lost=$(cat out)
    rm "$lost"
    resume=--resume
    [ $form = id ] && resume=--resume=$(basename "$lost" .h5)
    expect 0 run dots.yaml --results lost "$resume"
    says err '2 of 2 jobs done (2 of them before)'
    [ "$(cat out)" = "$lost" ] || fail "the lost file was not made again"
    expect 0 verify "$lost"
    says out '2 proofs good, 0 bad'
    sleep 1 # run ids sort by seconds
done
# ---- a parameter of several lines: what is recorded is one line, and the results verify ----
expect 0 run "$(dirname "$0")/../../jobs/vm/example.yaml" --results lines
expect 0 verify "$(cat out)"
says out '1 proofs good, 0 bad'
for form in --resume=nothing --resume=nothing.h5; do
    expect 2 run "$manifest" --results link "$form"
    silent
done
expect 74 run "$manifest" --results link "--resume=$PWD"
expect 74 run "$manifest" --results link --resume=/dev/null
sed 's/seed: 7/seed: 8/' small.yaml >changed.yaml
expect 2 run changed.yaml --results link --resume
says err 'fib-1.*other content'
expect 0 show "$file" --table sessions
[ "$(grep -c '^status *complete' out)" = 7 ] || fail "not a session for each start"

expect 0 show "$file"
says out '^fib-1 .* insecure parameters$'
grep -q ' $' out && fail "white space at the end of a line of show"

# a reader that has enough ends the printing; the file is not called damaged for that
{ "$PROVERUN" show "$file" --table jobs 2>err; echo $? >code; } | true
[ "$(cat code)" = 141 ] || [ "$(cat code)" = 0 ] || fail "a closed pipe: exit code $(cat code)"
[ ! -s err ] || fail "a closed pipe: $(cat err)"

# the link to the newest run stands for it, whatever is made of its name
folder=$(dirname "$file")
expect 0 status "$folder/latest"
expect 0 journal check "$folder/latest"
expect 0 repair "$folder/latest"
[ -L "$folder/latest" ] || fail "repair put a file in place of the link"
expect 0 run small.yaml --results link --resume="$folder/latest"
[ "$(cat out)" = "$file" ] || fail "a resume through the link names $(cat out)"
[ -s "${file%.h5}.status.json" ] || fail "no status file beside the run"

# a run whose files are both damaged is not resumed
expect 0 run small.yaml --results damaged
head -c 100 "$(cat out)" >cut && mv cut "$(cat out)"
printf 'no journal' >"$(sed 's/h5$/journal/' out)"
expect 74 run small.yaml --results damaged --resume
silent

# ---- provenance: there, and true ----
expect 0 show "$file" --table provenance
cp out provenance
value() { sed -n "/^$1\$/{n;s/^ *//;p;}" provenance; }
for name in format_version creator creator_version run_id manifest_digest configuration libraries hosts topology \
    command_line started_at file_time file_update_time; do
    [ -n "$(value $name)" ] || fail "no provenance '$name'"
done
[ "$(value run_id)" = "$id" ] || fail "the run id is not that of the file's name"
[ "$(value hosts)" = "$(uname -n)" ] || [ "$(value hosts)" = "$(hostname)" ] || fail "hosts: $(value hosts)"
[ "proverun $(value creator_version)" = "$("$PROVERUN" --version | head -n 1)" ] || fail "creator_version"
for name in started_at file_time file_update_time; do
    value $name | grep -qE '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:]{8}(\.[0-9]+)?Z$' || fail "$name is not ISO 8601"
done
says provenance '    - id: fib'
says provenance 'HDF5 [0-9].*libyaml [0-9].*zstd [0-9]'
if command -v python3 >/dev/null; then
    digest=$(python3 -c 'import hashlib, sys; print(hashlib.blake2s(open(sys.argv[1], "rb").read()).hexdigest())' small.yaml)
    [ "$(value manifest_digest)" = "$digest" ] || fail "the manifest's digest is not that of its text"
fi

# ---- what cannot be written ----
"$PROVERUN" run small.yaml --results r >/dev/full 2>err
[ $? = 74 ] || fail "a run whose path cannot be printed does not say so"
for command in "show $(ls r/*.h5)" "verify $(ls r/*.h5)"; do
    # shellcheck disable=SC2086
    "$PROVERUN" $command >/dev/full 2>err
    [ $? = 74 ] || fail "$command: a full disk under standard output is not told"
done
: >plain-file
expect 74 run small.yaml --results plain-file
expect 0 run small.yaml --results r --metrics no-such-folder/x.prom # nothing rests on it
says err 'no-such-folder/x.prom'
if [ "$(id -u)" = 0 ] && mkdir small-disk && mount -t tmpfs -o size=64k none small-disk 2>/dev/null; then
    cat >more.yaml <<'Y'
version: 1
name: more
jobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: 5, columns: 4, seed: [1, 2, 3] } }]
Y
    expect 74 run more.yaml --results small-disk
    says err 'No space left on device'
    mount -o remount,size=8m small-disk
    expect 0 run more.yaml --results small-disk --resume
    expect 0 verify small-disk/*.h5
    says out '3 proofs good, 0 bad'
    umount small-disk
fi

# ---- a terminal gets a line that moves, a file gets plain lines ----
expect 0 run small.yaml --results r
grep -q "$(printf '\033')" err && fail "control characters in a file"
says err '^\[2/2\] fib-[12] self_verified: .*insecure parameters'
if command -v script >/dev/null; then
    script -qec "'$PROVERUN' run small.yaml --results r" /dev/null </dev/null >typescript 2>&1
    says typescript "$(printf '\033')\\[K"
    says typescript 'complete: 2 of 2 jobs done'
fi

# ---- manifests that are none ----
: >empty.yaml
printf '\000\001\002' >binary.yaml
printf 'version: 1\nname: x\njobs:\n\t- id: a\n' >tab.yaml
awk 'BEGIN { printf "version: 1\nname: x\njobs: "; for (i = 0; i < 100000; i++) printf "["; print "" }' >deep.yaml
printf 'version: 1\nname: x\njobs:\n  - &a { id: a, type: wide_fibonacci }\n  - *a\n' >alias.yaml
for name in empty:1:1 binary:1:1 tab:4:1 deep:3:14 alias:4:5; do
    expect 2 run "${name%%:*}.yaml" --results none
    says err "^${name%%:*}.yaml:${name#*:}: "
    silent
done
expect 2 run . --results none
expect 2 run not-there.yaml --results none
expect 2 run small.yaml small.yaml --results none
for words in '--threads 0' '--threads' '--log xml' '--backend gpu' '--results' '--nonsense'; do
    # shellcheck disable=SC2086
    expect 2 run small.yaml $words
    silent
done
[ -e none ] && fail "a manifest that is none made a folder"

# ---- results files that are none ----
for name in empty.yaml binary.yaml small.yaml . not-there; do
    expect 74 show "$name"
    expect 74 verify "$name"
done
finish
