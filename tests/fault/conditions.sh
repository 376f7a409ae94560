#!/bin/sh
# What surrounds a run: a disk that fills, a folder that cannot be written, journals of other versions, a second writer, a
# wall clock that jumps.
#   conditions.sh PROVERUN PROVERUN_FAULTY CLOCK_SHIM      (tests/child: proverun with PROVERUN_TEST_FAULTS)
set -u
FAULTY=$2 CLOCK_SHIM=$3
. "$(dirname "$0")/../app/common.sh"
. "$TOP/tests/child/gate.sh"
export OMPI_MCA_ess_singleton_isolated=1

manifest() { # NAME LOG_ROWS COLUMNS SEEDS
    printf 'version: 1\nname: %s\ndefaults: { profile: fast, time_limit: 2min, deadline: 30min }\njobs:\n' "$1"
    printf '  - { id: fib, type: wide_fibonacci, params: { log_rows: %s, columns: %s, seed: [%s] } }\n' "$2" "$3" "$4"
}
manifest small 5 4 '1, 2, 3, 4' >small.yaml

# completes FOLDER: after whatever happened there, a run completes in it, resumed where one had begun
completes() {
    resume=
    ls "$1"/*.journal >/dev/null 2>&1 && resume=--resume
    # shellcheck disable=SC2086
    expect 0 run small.yaml --results "$1" $resume
    says err '4 of 4 jobs done'
    expect 0 verify "$(cat out)"
    says out '4 proofs good, 0 bad'
}
# fails_for_room FOLDER REASON: exit code and message of the run that was just made
fails_for_room() {
    [ "$rc" = 74 ] || fail "$1: exit code $rc, not 74"
    says err "$2"
    says err '--resume\|then start again'
    grep -q 'H5.*line' err && fail "$1: HDF5's own account of the error is shown"
}

await() { until_true grep -q -e "$2" "$1" || fail "no '$2' in $1"; } # FILE PATTERN

# ---- a disk that fills, as a limit on the size of files, at several moments; the signal of it kills nobody ----
for blocks in 1 16 40 300 1100; do # of 512 bytes
    (ulimit -f $blocks && exec timeout 300 "$PROVERUN" run small.yaml --results "full$blocks" >out 2>err)
    rc=$?
    fails_for_room "full$blocks" 'File too large'
    completes "full$blocks"
done

# ---- a disk that really is full, where it can be had ----
mounted=
if [ "$(id -u)" = 0 ] && mkdir disk && mount -t tmpfs -o size=48k none disk 2>/dev/null; then
    mounted=yes
    for size in 16k 48k 320k 616k; do
        rm -rf disk/*
        mount -o remount,size=$size disk
        timeout 300 "$PROVERUN" run small.yaml --results disk >out 2>err
        rc=$?
        fails_for_room "tmpfs of $size" 'No space left on device'
        mount -o remount,size=8m disk
        completes disk
    done
fi

# ---- a results folder that can only be read: for a new run, and for one that was begun ----
read_only() { # FOLDER REASON COMMAND...
    folder=$1 reason=$2
    shift 2
    for resume in '' --resume; do
        # shellcheck disable=SC2086
        timeout 300 "$@" "$PROVERUN" run small.yaml --results "$folder" $resume >out 2>err
        rc=$?
        [ $rc = 74 ] || fail "read-only folder$resume: exit code $rc, not 74"
        says err "$folder.*$reason"
        silent
    done
}
if [ "$(id -u)" != 0 ]; then
    expect 0 run small.yaml --results locked
    chmod -R a-w locked
    read_only locked 'Permission denied'
elif [ $mounted ]; then
    mount -o remount,ro disk
    read_only disk 'Read-only file system'
    mount -o remount,rw disk
    completes disk
elif command -v setpriv >/dev/null; then
    expect 0 run small.yaml --results locked
    chmod -R a-w locked
    chmod a+rwx . "$shared" # for Open MPI
    read_only locked 'Permission denied' setpriv --reuid=65534 --clear-groups
fi
[ $mounted ] && umount disk

# ---- a journal of another version: refused with both numbers, and left as it is ----
expect 0 run small.yaml --results versions
file=$(cat out)
log=${file%.h5}.journal
cp "$log" ours
for version in 1 3 7; do
    cp ours "$log"
    printf %s $version | dd of="$log" bs=1 seek=17 conv=notrunc 2>/dev/null
    cp "$log" theirs
    expect 74 run small.yaml --results versions --resume
    says err "$log: .*version $version; this program reads version 2"
    silent
    expect 1 journal check "$log"
    says err "version $version; this program reads version 2"
    "$PROVERUN" repair "$file" >out 2>err && fail "a journal of version $version is repaired"
    says err "version $version"
    cmp -s "$log" theirs || fail "a journal of version $version was changed"
done
cp ours "$log"
completes versions

# ---- two runs in one folder: the second may begin another run, not write to the first ----
manifest held 8 10 "$(seq -s ', ' 1 50)" >held.yaml
close_gate 2
"$FAULTY" run held.yaml $HELD --results two >first.out 2>first.err &
PID=$!
await_at_gate 1
expect 74 run held.yaml --results two --resume
says err "another process writes this run.*process $PID "
silent
expect 0 run small.yaml --results two
kill -USR1 $PID
await first.err 'nothing new is started'
open_gate
wait $PID
[ $? = 75 ] || fail "the first run was disturbed"
sed 's/1, 2, .*50/1, 2/' held.yaml >held2.yaml
expect 2 run held2.yaml --results two --resume

# ---- the wall clock jumps: an hour back, then two forward, while jobs with limits run ----
manifest clock 8 10 "$(seq -s ', ' 1 24)" >clock.yaml
close_gate 2
LD_PRELOAD=$CLOCK_SHIM PR_CLOCK_FILE=$PWD/jump "$FAULTY" run clock.yaml $HELD --results clock --max-time 10min \
    >clock.out 2>clock.err &
PID=$!
await_at_gate 1
for jump in -3600 7200; do
    echo $jump >jump.new
    mv jump.new jump
    [ $jump = 7200 ] || await clock.err 'the wall clock of rank 0 jumped by -'
done
await clock.err 'the wall clock of rank 0 jumped by 1'
open_gate
wait $PID
rc=$?
[ $rc = 0 ] || { fail "a clock that jumps: exit code $rc" && tail -n 3 clock.err; }
says clock.err '24 of 24 jobs done'
says clock.err 'the wall clock of rank 0 jumped by -3[56][0-9][0-9]\.[0-9] s'
says clock.err 'the wall clock of rank 0 jumped by 10[78][0-9][0-9]\.[0-9] s'
file=$(cat clock.out)
expect 0 journal check "$file"
expect 0 verify "$file"
# no attempt took less than nothing, or as long as a jump
for table in jobs attempts; do
    expect 0 show "$file" --table $table
    awk '$1 == "started_ns" { s = $2 } $1 == "finished_ns" && ($2 - s < 0 || $2 - s > 100e9) { print "took", ($2 - s) / 1e9, "s"; bad = 1 }
         END { exit bad }' out || fail "$table: times that make no sense"
done
expect 0 show "$file" --table sessions
[ "$(awk '$1 == "started_at" { print $2 }' out)" \< "$(awk '$1 == "finished_at" { print $2 }' out)" ] || fail "the session ends before it begins"
finish
