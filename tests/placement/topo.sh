#!/bin/sh
# `proverun topo`: on a described machine, on this one, under mpirun with and without its binding; what it refuses.
#   topo.sh PROVERUN
set -u
PROVERUN=$1
HERE=$(cd "$(dirname "$0")" && pwd)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1
unset OMPI_MCA_hwloc_base_binding_policy CUDA_VISIBLE_DEVICES
D=$(mktemp -d "${TMPDIR:-/tmp}/proverun-topo-XXXXXX")
trap 'rm -rf "$D"' EXIT
cd "$D" || exit 1
FAILED=0

fail() {
    echo "FAILED: $*"
    FAILED=1
    sed 's/^/  | /' out err
}
topo() { # EXIT-CODE ARGUMENTS...
    want=$1
    shift
    "$PROVERUN" topo "$@" >out 2>err
    rc=$?
    [ $rc = "$want" ] || fail "topo $*: exit code $rc, not $want"
}
launch() { # RANKS LAUNCHER-OPTIONS -- ARGUMENTS...
    what=$*
    n=$1
    shift
    launcher=
    while [ "$1" != -- ]; do launcher="$launcher $1" && shift; done
    shift
    # shellcheck disable=SC2086
    mpirun -n "$n" $launcher "$PROVERUN" topo "$@" >out 2>err || fail "mpirun $what"
}
has() { grep -q -- "$1" "${2:-out}" || fail "no '$1' in ${2:-out}"; }
lacks() { if grep -q -- "$1" out; then fail "'$1' in out"; fi; }
count() { [ "$(grep -c -- "$1" out)" = "$2" ] || fail "not $2 times '$1'"; }

topo 0 --xml "$HERE/topology-8gpu.xml"
count '^  rank' 8
has 'rank 6     GPU 0000:60:00.0  processors 12-13  2 threads  17.2 GB'
topo 0 --xml "$HERE/topology-8gpu.xml" --visible 4,5 --ranks 3 --gpus single --coordinator-only --json
has '"rank":0,"proves":false,"gpu":null'
has '"rank":1,"proves":true,"gpu":{"bus_id":"0000:50:00.0"'
has '"rank":2,.*"cpus":"12-15"'
topo 0 --xml "$HERE/topology-8gpu.xml" --ranks 2 --gpus ignore --threads 3
has 'rank 1     processors 8-15  3 threads'
topo 0 --xml "$HERE/topology-8gpu.xml" --ranks 1 --gpu-cpus 10:00.0=12-15
has 'rank 0     GPU 0000:10:00.0  processors 12-15'
topo 0 --synthetic 'numa:2 l3:2 core:2 pu:2' --ranks 4 --smt
has 'rank 3     processors 12-15  4 threads'
topo 0 --ranks 2
count '^  rank' 2

topo 2 --xml "$D/none.xml"
has 'none.xml' err
: >empty.xml
topo 2 --xml empty.xml
has 'empty.xml: the file is empty' err
topo 2 --synthetic 'core:2 pu:1' --xml "$HERE/topology-8gpu.xml"
topo 2 --ranks 0
topo 2 --gpus some
topo 2 --gpu-cpus 10:00.0
topo 2 --xml "$HERE/topology-8gpu.xml" --gpu-cpus 11:00.0=1
has '0000:11:00.0' err
topo 2 more
topo 2 --nothing

# Slurm's tasks under cgroups all see device 0; SLURM_STEP_GPUS tells which it is.
mpirun -n 1 -x CUDA_VISIBLE_DEVICES=0 -x SLURM_STEP_GPUS=6 "$PROVERUN" topo --xml "$HERE/topology-8gpu.xml" : \
    -n 1 -x CUDA_VISIBLE_DEVICES=0 -x SLURM_STEP_GPUS=2 "$PROVERUN" topo --xml "$HERE/topology-8gpu.xml" \
    >out 2>err || fail "mpirun with a list for each rank"
has 'rank 0     GPU 0000:60:00.0  processors 8-15'
has 'rank 1     GPU 0000:20:00.0  processors 0-7'
has '2 of 2 GPUs used'

# Two nodes, emulated on this one: a plan each, in the order of ranks.
cat >agent.sh <<'AGENT'
#!/bin/sh
while :; do case $1 in -*) shift ;; *) break ;; esac done
mkdir -p "$PR_TEST_FOLDER/n-$1"
TMPDIR=$PR_TEST_FOLDER/n-$1
export TMPDIR
shift
exec setsid sh -c "$*"
AGENT
chmod +x agent.sh
export PR_TEST_FOLDER="$D"
timeout 300 mpirun --bind-to none --mca plm rsh --mca plm_rsh_agent "$D/agent.sh" --host 127.0.0.2:2,127.0.0.3:2 \
    --mca btl self,tcp --mca btl_tcp_if_include lo --mca oob_tcp_if_include lo -n 4 \
    "$PROVERUN" topo --json >out 2>err || fail "mpirun on two nodes"
count '"provers":2' 2
sed -n 1p out | grep -q '"rank":0.*"rank":1' || fail "the first node comes first"
sed -n 2p out | grep -q '"rank":2.*"rank":3' || fail "the second node comes second"

# The launcher's binding, seen from inside. mpirun -n 1 binds to one core, however many threads that has.
launch 2 --bind-to none -- --json
count '"provers":2' 1
has '"rank":1'
topo 0 --json
if [ "$(sed 's/.*"rank":0.*"cores":\([0-9]*\),.*/\1/' out)" -ge 2 ]; then
    launch 1 -- --json
    has '"one_core_trap":true'
    has 'mpirun --bind-to none'
    launch 1 -- --widen --json
    has '"one_core_trap":false'
    lacks '"threads":1,'
    launch 1 --bind-to none -- --json
    has '"one_core_trap":false'
    # A binding from outside is kept without mpirun too.
    taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$PROVERUN" topo --json >out 2>err || fail "topo under taskset"
    has '"cores":1'
fi
exit $FAILED
