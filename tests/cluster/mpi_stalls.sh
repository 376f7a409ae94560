#!/bin/sh
# Rank 0 is stopped: the others change the view and finish their rounds. It comes back and follows, or it does not, and they
# end, resumable. A rank too many is lost: the run ends, says why, and is resumed, with fewer ranks and with more. All of it
# with sealed keys; a key, a passphrase or stakes that are refused end a run before it begins, and cost nothing.
#   mpi_stalls.sh PROVERUN
set -u
. "$(dirname "$0")/common.sh"
export PROVERUN
seeds=$(seq -s ', ' 1 30)
cat >m.yaml <<Y
version: 1
name: m
jobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: 12, columns: 60, seed: [$seeds] } }]
Y
cat >quick.yaml <<Y
version: 1
consensus: { round_timeout: 1s, view_timeout: 1s, key_passphrase_file: word }
Y
(umask 077 && echo 'correct horse battery' >word && echo 'another word' >other)

# start RANKS OPTIONS...: in the background; each rank leaves its exit code in rc.RANK, since mpirun tells none here
start() {
    n=$1
    shift
    rm -f rc.* err
    # shellcheck disable=SC2016
    mpirun --enable-recovery -n "$n" sh -c '"$PROVERUN" "$@"; echo $? >"rc.$OMPI_COMM_WORLD_RANK"' rank run m.yaml \
        --config quick.yaml --backend scalar "$@" >out 2>err &
    PID=$!
}
rank() { # NUMBER: the process id of its supervisor
    for s in $(pgrep -P "$PID"); do
        tr '\0' '\n' <"/proc/$s/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" && pgrep -P "$s" -x proverun
    done
}
await() { # TEXT N FILE: until N lines hold it
    i=0
    while n=$(grep -c -- "$1" "$3" 2>/dev/null); [ "${n:-0}" -lt "$2" ] && [ $i -lt 900 ]; do
        sleep 0.05
        i=$((i + 1))
    done
    [ $i -lt 900 ] || fail "no '$1' in $3"
}
number_of() { sed -n "s/^$1 //p" "${f%.h5}.prom"; } # SERIES
ends_well() { # NAME
    f=$(tail -n 1 out)
    "$PROVERUN" verify "$f" >answer 2>&1 || fail "$1: verify"
    expect_in "^$f: 30 proofs good, 0 bad" answer "$1"
    expect_in '"exit_code": 0' "${f%.h5}.status.json" "$1"
}
announced() { sed -n 's/.*\] *\(fib[^ ]*\) .*/\1/p' "$@" | sort -u; }

# ---- rank 0 is stopped and comes back: it follows the new view, and the run completes ----
start 4 --results back --silent-after 30s --lost-after 60s
await '^\[' 3 err
stopped=$(rank 0)
kill -STOP "$stopped"
await 'view 1: validator 1 (rank 1) leads' 3 err
sleep 3
kill -CONT "$stopped"
wait $PID
ends_well "rank 0 back"
expect_in 'rank 0 stood still for' err "rank 0 back"
[ "$(grep -c 'view 1: validator 1 (rank 1) leads' err)" -ge 4 ] || fail "rank 0 does not follow"
[ "$(number_of proverun_consensus_current_view)" -ge 1 ] || fail "rank 0 back: the metrics say another view"
! grep -q 'does not answer' err || fail "rank 0 complains of others for its own silence"

# ---- rank 0 stays stopped: the others end, resumable; what was announced is there afterwards ----
start 4 --results gone --lost-after 10s
await '^\[' 3 err
stopped=$(rank 0)
kill -STOP "$stopped"
for i in 1 2 3; do await . 1 rc.$i; done
for i in 1 2 3; do [ "$(cat "rc.$i")" = 75 ] || fail "rank $i ends with $(cat "rc.$i"), not 75"; done
expect_in 'rank 0 has been silent for 10 s; the run can be resumed' err "rank 0 gone"
expect_in 'view 1: validator 1 (rank 1) leads' err "rank 0 gone"
kill -9 "$stopped"
wait $PID
cp err before
RC=0
mpirun -n 4 "$PROVERUN" run m.yaml --config quick.yaml --results gone --resume >out 2>err || RC=$?
expect_rc 0 "resume after rank 0 was stopped"
ends_well "resume after rank 0 was stopped"
[ "$(number_of proverun_consensus_current_view)" -ge 1 ] || fail "the view is $(number_of proverun_consensus_current_view) again"
"$PROVERUN" show "$f" --table jobs >jobs
announced before >were
[ "$(wc -l <were)" -ge 3 ] || fail "no announced jobs: $(head -n 5 before)"
while read -r id; do grep -q -- "$id" jobs || fail "$id was announced and is not there"; done <were

# ---- what is refused begins nothing and hangs nobody ----
# refused RC WHAT PATTERN COMMAND...
refused() {
    rc=$1 what=$2 pattern=$3
    shift 3
    RC=0
    timeout 60 "$@" >out 2>err || RC=$?
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
resume() { echo "$PROVERUN" run m.yaml --results gone --resume "$run" --config "$1"; }
chmod 644 word
refused 2 "a passphrase that others can read" 'rank 0: word: mode 0644 lets others read' $(resume quick.yaml)
mv word away
refused 74 "a passphrase that is gone" 'rank 0: word: cannot open' $(resume quick.yaml)
chmod 600 away && mv away word
printf 'version: 1\nconsensus: { committee: 4 }\n' >open.yaml
refused 2 "no passphrase" 'rank 0: gone/keys/rank-0.key: sealed with a passphrase, and none was given' $(resume open.yaml)

# ---- of three ranks one is lost: no quorum any more; resumed with two ranks, then by five ----
start 3 --results few
await '^\[' 3 err
kill -9 "$(rank 2)"
wait $PID
[ "$(cat rc.0)" = 75 ] || fail "without a quorum rank 0 ends with $(cat rc.0), not 75"
expect_in 'too many ranks are lost for a quorum' err "no quorum"
f=$(tail -n 1 out)
expect_in '"exit_code": 75' "${f%.h5}.status.json" "no quorum"
start 2 --results few --resume
await '^\[' 1 err
kill -USR1 "$(rank 0)"
wait $PID
[ "$(cat rc.0)" = 75 ] || fail "two of three ranks, drained: exit code $(cat rc.0), not 75"
[ "$(number_of proverun_consensus_active_validators)" = 2 ] || fail "the one that is away is counted"
RC=0
mpirun -n 5 "$PROVERUN" run m.yaml --config quick.yaml --results few --resume >out 2>err || RC=$?
expect_rc 0 "five ranks instead of three"
ends_well "five ranks instead of three"
[ "$(number_of proverun_consensus_active_validators)" = 5 ] || fail "not five validators"
[ "$(number_of proverun_consensus_validators_registered_total)" = 2 ] || fail "not two new validators"

finish "rank 0 was stopped, and lost ranks were missed"
