# Sourced by the tests of this folder: a cluster of their own in a temporary folder, jobs submitted and awaited, answers
# looked at. Nothing sleeps for a fixed time: states are polled.
# shellcheck shell=sh
PROVERUN=$(realpath "${1:?the program}")
export PROVERUN
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034
slurm=$(dirname "$here")
D=$(mktemp -d /tmp/proverun-slurm-XXXXXX) || exit 2
trap 'sh "$here/cluster.sh" stop "$D/c"; rm -rf "$D"' EXIT
trap 'exit 130' INT TERM HUP
cd "$D" || exit 2
mkdir c
sh "$here/cluster.sh" start "$D/c" $$ || exit
# shellcheck disable=SC1091
. "$D/c/env"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
unset OMPI_MCA_hwloc_base_binding_policy CUDA_VISIBLE_DEVICES
FAILED=0

fail() { # the job's last words are told once
    echo "FAILED: $*"
    FAILED=1
    [ "${job:-}" != "${told_of:-}" ] || return
    told_of=${job:-}
    [ -s "job-$job.out" ] && tail -n 12 "job-$job.out" | sed 's/^/  | /'
    grep -hi "JobId=$job\b\|\[$job\.\|error" c/slurm*.log | tail -n 12 | sed 's/^/  # /'
}
expect_in() { grep -q -- "$1" "$2" || fail "$3: no '$1' in $2"; }
expect_not_in() { if grep -q -- "$1" "$2"; then fail "$3: '$1' in $2"; fi; }

submit() { # SBATCH-ARGUMENTS: the job's number to $job, its output to job-NUMBER.out
    job=$(sbatch --parsable --output=job-%j.out "$@") || fail "sbatch $*"
}
field() { # NAME [JOB]: of a job, as scontrol says it
    scontrol -o show job "${2:-$job}" 2>/dev/null | tr ' ' '\n' | sed -n "s/^$1=//p" | head -n 1
}
poll() { # SECONDS WHAT COMMAND ARGUMENTS: until it is true
    seconds=$1 what=$2
    shift 2
    polls=0
    until "$@"; do
        polls=$((polls + 1))
        if [ $polls -gt $((5 * seconds)) ]; then
            fail "$what: not within $seconds s; job $job is $(field JobState) ($(field Reason))"
            return 1
        fi
        sleep 0.2
    done
}
# The end of a job, and nothing but the end: COMPLETING is not.
is_over() { case $(field JobState) in PENDING | RUNNING | COMPLETING | CONFIGURING | REQUEUED | '') return 1 ;; esac; }
is_state() { [ "$(field JobState)" = "$1" ]; }
announced() { [ -s "$1" ] && [ "$(grep -c '^\[' "$1")" -ge "$2" ]; }
await_end() { poll 600 "the end of job $job" is_over; }
# Slurm lets a requeued job wait two minutes; a test need not, once the step daemons of the time before are gone. But in the
# second in which a job ended its node refuses it ("already killed").
has_steps() { ls "$D"/c/spool-*/*_"$job".* >/dev/null 2>&1; }
is_ready_again() { [ "$(field Restarts)" = "$1" ] && ! has_steps; }
await_restart() { # WHICH
    poll 300 "requeue $1" is_ready_again "$1" && scontrol update JobId="$job" StartTime=now+2
    poll 300 "restart $1" is_started
}
is_started() { case $(field JobState) in PENDING | REQUEUED | '') return 1 ;; esac; }
await_announced() { poll 300 "$1 jobs announced" announced "job-$job.out" "$1"; }
expect_end() { # WHAT STATE EXIT:SIGNAL
    await_end
    [ "$(field JobState) $(field ExitCode)" = "$2 $3" ] || fail "$1: $(field JobState) $(field ExitCode), not $2 $3"
}

find_file() { # FOLDER: the results file of the one run there, to $f
    set -- "$1"/*-*.h5
    f=$1
    [ $# = 1 ] || fail "more than one results file: $*"
    [ -f "$f" ] || fail "there is no results file $f"
}
# What was announced is there: every id that a job's output tells as approved is approved in the file, once. A run that was
# killed has it in its journal.
nothing_lost() { # WHAT FILE OUTPUT
    "$PROVERUN" repair "$2" >/dev/null || fail "$1: repair"
    "$PROVERUN" show "$2" >table || fail "$1: show"
    sed -n 's/^\[[0-9/]*\] \([^ ]*\) approved: .*/\1/p' "$3" | sort >told
    awk '$3 == "approved" { print $1 }' table | sort >kept
    [ -z "$(uniq -d told)" ] || fail "$1: announced twice: $(uniq -d told | tr '\n' ' ')"
    [ -z "$(uniq -d kept)" ] || fail "$1: twice in $2: $(uniq -d kept | tr '\n' ' ')"
    [ -s told ] || fail "$1: nothing was announced"
    comm -23 told kept >lost
    [ ! -s lost ] || fail "$1: announced and lost: $(tr '\n' ' ' <lost)"
}
# The batch is whole: so many jobs, each approved once, each proof good.
is_whole() { # WHAT FILE JOBS
    "$PROVERUN" verify "$2" >answer 2>&1 || fail "$1: verify"
    expect_in ": $3 proofs good, 0 bad, 0 jobs without" answer "$1"
    "$PROVERUN" show "$2" >table
    [ "$(awk '$3 ~ /^(approved|merged)$/ { print $1 }' table | sort -u | wc -l)" = "$3" ] || fail "$1: not $3 jobs approved"
}

# A batch of N jobs of 2^ROWS rows. 2^17 rows take an older core about half a second, a newer one a tenth.
batch() { # FILE NAME N ROWS
    cat >"$1" <<Y
version: 1
name: $2
jobs:
  - { id: fib, type: wide_fibonacci, params: { log_rows: $4, columns: 60, seed: [$(seq -s ', ' 1 "$3")] } }
Y
}

finish() {
    [ $FAILED = 0 ] && echo "all as it should be"
    exit $FAILED
}
