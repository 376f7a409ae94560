#!/bin/sh
# A Slurm cluster on this machine: two emulated nodes, head (2 processors) and gpu (8 processors and 4 GPUs, which are
# device files with nothing behind them). As root, with Debian's slurmctld, slurmd and munge.
#   cluster.sh start DIR [PID]   its files go to DIR, DIR/env sets what clients need; it stops when process PID is gone
#   cluster.sh stop DIR          ends its daemons and whatever they started; DIR stays
# Exit code 77: no Slurm can be started here, and standard error says why. The key, the socket and the ports are its own:
# it disturbs no other Slurm. DIR must be short (a socket's path has 107 characters at most).
set -u
verb=${1:?start or stop} D=${2:?a folder}

say() { echo "cluster.sh: $*" >&2; }
daemons='slurmd-gpu slurmd-head slurmctld munged'

# A daemon that has ended may stay as a zombie where nobody waits for orphans.
is_running() { # PID
    case $(sed 's/.*) //' "/proc/${1:-none}/stat" 2>/dev/null) in '' | Z*) return 1 ;; esac
}
pid_of() { cat "$D/$1.pid" 2>/dev/null; } # DAEMON

# Tells the caller that it cannot be tried here: exit 77.
need() {
    PATH=$PATH:/usr/sbin:/sbin
    [ "$(id -u)" = 0 ] || { say "not root" && exit 77; }
    for program in munged slurmctld slurmd sbatch scontrol sinfo squeue scancel srun; do
        command -v $program >/dev/null || { say "$program is not installed" && exit 77; }
    done
}

start_munge() {
    dd if=/dev/urandom of="$D/munge/key" bs=128 count=1 2>/dev/null && chmod 400 "$D/munge/key"
    munged --force --socket="$D/munge/socket" --key-file="$D/munge/key" --pid-file="$D/munged.pid" \
        --log-file="$D/munge/log" --seed-file="$D/munge/seed" >"$D/munge/out" 2>&1
}

# CPUs and memory are claimed, not found: config_overrides. No cgroups: linuxproc. Everything that waits is told to hurry.
write_configuration() { # PORT
    host=$(hostname -s)
    cat >"$D/slurm.conf" <<C
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$1
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$D/munge/socket
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool-%n
TmpFS=$D/tmp-%n
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd-%n.pid
SlurmctldLogFile=$D/slurmctld.log
SlurmdLogFile=$D/slurmd-%n.log
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=5
MinJobAge=86400
RequeueExit=75
MpiDefault=pmix
GresTypes=gpu
NodeName=head NodeHostname=$host NodeAddr=127.0.0.1 Port=$(($1 + 1)) CPUs=2 RealMemory=1000 State=UNKNOWN
NodeName=gpu NodeHostname=$host NodeAddr=127.0.0.1 Port=$(($1 + 2)) CPUs=8 RealMemory=1000 Gres=gpu:4 State=UNKNOWN
PartitionName=gpu Nodes=gpu Default=YES MaxTime=INFINITE State=UP
PartitionName=head Nodes=head MaxTime=INFINITE State=UP
C
    echo "NodeName=gpu Name=gpu File=/dev/null,/dev/zero,/dev/full,/dev/urandom" >"$D/gres.conf"
    cat >"$D/env" <<C
export SLURM_CONF=$D/slurm.conf
export OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
C
}

start_daemons() {
    SLURM_CONF=$D/slurm.conf
    export SLURM_CONF
    slurmctld -c >>"$D/out" 2>&1 && slurmd -N head >>"$D/out" 2>&1 && slurmd -N gpu >>"$D/out" 2>&1
}

is_idle() { [ "$(sinfo -h -N -o %t 2>/dev/null | sort -u)" = idle ]; }

await_idle() {
    i=0
    while ! is_idle; do
        i=$((i + 1))
        [ $i -lt 300 ] && is_running "$(pid_of slurmctld)" || return 1
        sleep 0.1
    done
}

end_daemon() { # DAEMON
    pid=$(pid_of "$1") i=0
    is_running "$pid" || return 0
    kill "$pid"
    while is_running "$pid"; do
        i=$((i + 1))
        [ $i != 100 ] || kill -9 "$pid"
        sleep 0.1
    done
}

stop() {
    for name in $daemons; do end_daemon "$name"; done
    # Step daemons of this cluster, and what they run, know it by its configuration.
    for pid in $(grep -lsz "^SLURM_CONF=$D/slurm.conf\$" /proc/[0-9]*/environ | cut -d/ -f3); do
        [ "$pid" = $$ ] || kill -9 "$pid" 2>/dev/null
    done
}

# Whoever started it may be killed without a word.
guard() { # PID
    while is_running "$1" && is_running "$(pid_of slurmctld)"; do sleep 1; done
    stop
}

start() { # [PID]
    need
    mkdir -p "$D/state" "$D/spool-head" "$D/spool-gpu" "$D/tmp-head" "$D/tmp-gpu" "$D/munge" && chmod 700 "$D/munge"
    start_munge || { say "munged does not start: $(tail -n 1 "$D/munge/out")" && exit 77; }
    for try in 1 2 3 4 5; do # another's port may be hit
        write_configuration $((20000 + ($$ * 7 + try * 331) % 12000))
        if start_daemons && await_idle; then
            [ -z "${1:-}" ] || setsid sh "$0" guard "$D" "$1" </dev/null >/dev/null 2>&1 &
            return
        fi
        say "try $try: $(grep -hs 'fatal\|error' "$D/slurmctld.log" | tail -n 1)"
        for name in slurmd-gpu slurmd-head slurmctld; do end_daemon "$name"; done
    done
    stop
    exit 77
}

case $verb in
start) start "${3:-}" ;;
stop) stop ;;
guard) guard "${3:?a process}" ;;
*) say "start or stop" && exit 2 ;;
esac
