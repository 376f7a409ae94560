#!/bin/sh
# Rank 0 is stopped: the others change the view and finish their rounds. It comes back and follows, or it does not, and they
# end, resumable. A rank too many is lost: the run ends, says why, and is resumed, with fewer ranks and with more. All of it
# with sealed keys; a key, a passphrase or stakes that are refused end a run before it begins, and cost nothing.
#   mpi_stalls.sh PROVERUN PROVERUN_FAULTY      (tests/child: proverun with PROVERUN_TEST_FAULTS)
set -u
. "$(dirname "$0")/common.sh"
FAULTY=$(realpath "$2")
export FAULTY
seeds=$(seq -s ', ' 1 30)
cat >m.yaml <<Y
version: 1
name: m
jobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: 12, columns: 60, seed: [$seeds] } }]
Y
cat >quick.yaml <<Y
version: 1
consensus: { round_timeout: 1s, view_timeout: 1s, retries: 60, key_passphrase_file: word }
Y
sed 's/ word / word, stake: stakes /' quick.yaml >staked.yaml
for i in 0 1 2; do echo "rank-$i 5"; done >stakes
(umask 077 && echo 'correct horse battery' >word && echo 'another word' >other)

CONFIG=quick.yaml
# start RANKS OPTIONS...: in the background, with the gate closed; each rank leaves its exit code in rc.RANK, since mpirun
# tells none here, and its lines in err itself, since mpirun on a busy machine puts one in the middle of another
start() {
    n=$1
    shift
    rm -f rc.*
    : >err
    # shellcheck disable=SC2016,SC2086
    mpirun --enable-recovery -n "$n" sh -c '"$FAULTY" "$@" 2>>err; echo $? >"rc.$OMPI_COMM_WORLD_RANK"' rank run m.yaml \
        --config "$CONFIG" --backend scalar $HELD "$@" >out 2>>err &
    PID=$!
}
number_of() { sed -n "s/^$1 //p" "${f%.h5}.prom"; } # SERIES
ends_well() { # NAME
    f=$(tail -n 1 out)
    "$PROVERUN" verify "$f" >answer 2>&1 || fail "$1: verify"
    expect_in "^$f: 30 proofs good, 0 bad" answer "$1"
    expect_in '"exit_code": 0' "${f%.h5}.status.json" "$1"
}
held_in() { # FOLDER: the certificates of each rank, held.RANK, and those that two of ranks 1 to 3 have
    for i in 0 1 2 3; do
        "$PROVERUN" journal show "$1"/m-*.votes/$i.journal | sed -n 's/.* certificate, \(attempt .*\)/\1/p' | sort >held.$i
    done
    sort held.1 held.2 held.3 | uniq -c | awk '$1 >= 2 { $1 = ""; sub(/^ /, ""); print }' >held
}
announced() { sed -n 's/.*\] *\(fib[^ ]*\) .*/\1/p' "$@" | sort -u; }

# start_and_stop --results FOLDER OPTIONS...: a run of four ranks whose rank 0 is stopped when all are at work and no round
# is open. Where the machine is so busy that a leader seems to stand still before that, with more time
start_and_stop() {
    for seconds in 1 2 5 20; do
        sed -i "s/view_timeout: [0-9]*s/view_timeout: ${seconds}s/" quick.yaml
        patience=$((seconds > 2 ? 5 * seconds : 10)) # of the others with rank 0, unless an option says another
        close_gate 4
        start 4 --lost-after ${patience}s "$@"
        await '^\[' 4
        await_at_gate 4
        stopped=$(supervisor 0)
        kill -STOP "$stopped"
        if ! "$PROVERUN" journal show "$2"/m-*.votes/0.journal | grep -q 'view [1-9]' && ! grep -q 'view [1-9]' err; then
            open_gate
            return
        fi
        kill -9 $PID "$stopped"
        wait $PID
        await_gone
        rm -rf "$2"
    done
    fail "views change without a reason"
}

# ---- rank 0 is stopped and comes back: it follows the new view, and the run completes ----
start_and_stop --results back --silent-after 30s --lost-after 10min
await 'leads from now on' 3 # rank 1 in view 1, or who comes after it where rank 1 was slow
certified() { held_in back && grep -q 'view [1-9]' held; }
until_true certified || fail "rank 0 stopped: no certificate in view 1: $(cat held.?)" # of what was open
kill -CONT "$stopped"
wait $PID
ends_well "rank 0 back"
expect_in 'rank 0 stood still for' err "rank 0 back"
expect_in '^proverun: warning: view [1-9][0-9]*: validator [1-3] (rank [1-3]) leads$' err "rank 0 back: it follows"
[ "$(number_of proverun_consensus_current_view)" -ge 1 ] || fail "rank 0 back: the metrics say another view"
! grep -q 'does not answer' err || fail "rank 0 complains of others for its own silence"

# ---- rank 0 stays stopped: the others end, resumable; what was announced is there afterwards ----
start_and_stop --results gone
have_ended() { [ -s rc.1 ] && [ -s rc.2 ] && [ -s rc.3 ]; }
until_true have_ended || fail "rank 0 gone: the others do not end"
for i in 1 2 3; do [ "$(cat "rc.$i")" = 75 ] || fail "rank $i ends with $(cat "rc.$i"), not 75"; done
expect_in "rank 0 has been silent for $patience s; the run can be resumed" err "rank 0 gone"
expect_in 'view [1-9][0-9]*: validator [1-3] (rank [1-3]) leads' err "rank 0 gone"
kill -9 "$stopped" # it never went on
wait $PID
cp err before
status=$(echo gone/m-*.journal | sed 's/journal$/status.json/') # mpirun says 0, and rank 0 could not say anything
expect_in '"exit_code": 75' "$status" "rank 0 gone"
expect_in '"reason": "rank 0 has been silent' "$status" "rank 0 gone"
[ ! -e "$(echo "$status".*)" ] || fail "rank 0 gone: a file beside $status was left"
held_in gone
grep -q 'view [1-9]' held.0 && fail "rank 0 gone: it was there in view 1"
RC=0
mpirun -n 4 "$PROVERUN" run m.yaml --config quick.yaml --results gone --resume >out 2>err || RC=$?
expect_rc 0 "resume after rank 0 was stopped"
ends_well "resume after rank 0 was stopped"
[ "$(number_of proverun_consensus_current_view)" -ge 1 ] || fail "the view is $(number_of proverun_consensus_current_view) again"
"$PROVERUN" show "$f" --table certificates | awk '{ print "attempt " $2 ", view " $3 ", proof " $10 }' | sort >certificates
[ "$(comm -23 held certificates | wc -l)" = 0 ] || fail "certificates were lost: $(comm -23 held certificates)"
"$PROVERUN" show "$f" --table jobs >jobs
announced before >were
[ "$(wc -l <were)" -ge 3 ] || fail "no announced jobs: $(head -n 5 before)"
while read -r id; do grep -q -- "$id" jobs || fail "$id was announced and is not there"; done <were

# ---- who led from when, and why, is checked against what was signed ----
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
    while read -r kind words; do
        cp "$f" changed.h5
        /usr/bin/python3 "$HERE/../app/tamper_votes.py" changed.h5 "$kind" || fail "$kind could not be changed"
        for command in verify audit; do
            RC=0
            "$PROVERUN" $command changed.h5 >answer 2>err || RC=$?
            expect_rc 1 "$command: $kind"
            expect_in "^bad: view [0-9]*: $words" answer "$command: $kind"
            expect_in '30 proofs good, 0 bad' answer "$command: $kind"
        done
    done <<'K'
leader validator 99 leads it by its row, . by its certificate
reason it began for `leader_removed` by its row; a view begins for a timeout alone
no_reason it began for `` by its row
view its certificate is of view [0-9]
view_signers the row counts others than its bytes
view_certificate .*wrong signature
K
    cp "$f" changed.h5
    /usr/bin/python3 "$HERE/../app/tamper_votes.py" changed.h5 old_views || fail "no old views"
    "$PROVERUN" verify changed.h5 >answer 2>&1 || fail "a file from before the columns of views: $(cat answer)"
fi

# ---- what is refused begins nothing and hangs nobody ----
# refused RC WHAT PATTERN COMMAND...
refused() {
    rc=$1 what=$2 pattern=$3
    shift 3
    RC=0
    timeout 300 "$@" >out 2>err || RC=$?
    expect_rc "$rc" "$what"
    expect_in "$pattern" err "$what"
}
run=$(basename "$f" .h5)
for i in 0 1 2 3; do
    grep -q '^sealed argon2id ' gone/keys/rank-$i.key || fail "rank $i has a key that is not sealed"
done
grep -raqF 'correct horse' back gone before && fail "the passphrase is in $(grep -ralF 'correct horse' back gone before)"
mv gone/keys/rank-2.key kept
"$PROVERUN" keygen gone/keys/rank-2.key --passphrase-file other >public || fail "keygen"
refused 2 "a wrong passphrase" 'rank 2: gone/keys/rank-2.key: wrong passphrase, or the file was changed' \
    mpirun -n 4 "$PROVERUN" run m.yaml --config quick.yaml --results gone --resume "$run"
mv kept gone/keys/rank-2.key
echo 'rank-3 2' >three
for i in 0 1 2; do echo "rank-$i 1"; done >>three
sed 's/stake: stakes/stake: three/' staked.yaml >three.yaml
refused 2 "a resume with other stakes" 'three:1:1: stake 2, but validator 3 has 1 since it joined the run; allowed: stakes as' \
    mpirun -n 4 "$PROVERUN" run m.yaml --config three.yaml --results gone --resume "$run"
resume() { echo "$PROVERUN" run m.yaml --results gone --resume "$run" --config "$1"; }
chmod 640 gone/keys/rank-0.key
refused 2 "a key that others can read" 'rank 0: gone/keys/rank-0.key: mode 0640 lets others read or write the key' \
    $(resume quick.yaml)
chmod 600 gone/keys/rank-0.key
chmod 644 word
refused 2 "a passphrase that others can read" 'rank 0: word: mode 0644 lets others read' $(resume quick.yaml)
mv word away
refused 74 "a passphrase that is gone" 'rank 0: word: cannot open' $(resume quick.yaml)
chmod 600 away && mv away word
printf 'version: 1\nconsensus: { committee: 4 }\n' >open.yaml
refused 2 "no passphrase" 'rank 0: gone/keys/rank-0.key: sealed with a passphrase, and none was given' $(resume open.yaml)

# ---- of three ranks one is lost: no quorum any more; resumed with two ranks, then by five ----
CONFIG=staked.yaml
close_gate 4
start 3 --results few
await_at_gate 3
kill -9 "$(supervisor 2)"
open_gate
wait $PID
[ "$(cat rc.0)" = 75 ] || fail "without a quorum rank 0 ends with $(cat rc.0), not 75"
expect_in 'too many ranks are lost for a quorum' err "no quorum"
f=$(tail -n 1 out)
expect_in '"exit_code": 75' "${f%.h5}.status.json" "no quorum"
run=$(basename "$f" .h5)
refused 2 "a resume without its stakes" 'run: the run has begun with stakes from a file (validator 0 has 5): --config with' \
    "$PROVERUN" run m.yaml --config quick.yaml --results few --resume "$run"
sed 's/rank-0 5/rank-0 6/' stakes >changed
sed 's/stake: stakes/stake: changed/' staked.yaml >changed.yaml
refused 2 "a resume with other stakes" 'run: changed:1:1: stake 6, but validator 0 has 5 since it joined the run' \
    "$PROVERUN" run m.yaml --config changed.yaml --results few --resume "$run"
close_gate 8
start 2 --results few --resume
await_at_gate 2
kill -USR1 "$(supervisor 0)"
await 'nothing new is started' 1
open_gate
wait $PID
[ "$(cat rc.0)" = 75 ] || fail "two of three ranks, drained: exit code $(cat rc.0), not 75"
expect_in 'stakes:3: rank 2 is not in this session' err "two of three ranks"
[ "$(number_of proverun_consensus_active_validators)" = 2 ] || fail "the one that is away is counted"
RC=0
for i in 3 4; do echo "rank-$i 5"; done >>stakes
mpirun -n 5 "$PROVERUN" run m.yaml --config staked.yaml --results few --resume >out 2>err || RC=$?
expect_rc 0 "five ranks instead of three"
ends_well "five ranks instead of three"
[ "$(number_of proverun_consensus_active_validators)" = 5 ] || fail "not five validators"
[ "$(number_of proverun_consensus_validators_registered_total)" = 2 ] || fail "not two new validators"

finish "rank 0 was stopped, and lost ranks were missed"
