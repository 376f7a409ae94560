#!/bin/sh
# The day a GPU is there: within some eight minutes, golden cases, the backend's matrix, 1,000 small proofs without a leak,
# the whole table of speeds, and memcheck of small cases where compute-sanitizer is there. A JSON line for each.
#   tests/cuda/device_check.sh BUILD [BACKEND]
# BUILD: the folder of a build with its tests (preset cuda). BACKEND: cuda; or cuda-emu, at sizes that only try the script.
# CHECK_SECONDS (default 480): when to give up. Exit code 0: all passed or, as its line says, were skipped; whether a speed
# was reached ("reached") is no matter of passing. 1: a line has "result":"fail". 2: the backend cannot run here.
set -u
[ $# -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 backend=${2:-cuda} seconds=${CHECK_SECONDS:-480}
here=$(cd "$(dirname "$0")" && pwd)
vectors=$here/../vectors/cases
proverun=$build/proverun
D=$(mktemp -d "${TMPDIR:-/tmp}/proverun-device-XXXXXX")
trap 'rm -rf "$D"' EXIT
begin=$(date +%s)
left() { echo $((begin + seconds - $(date +%s))); }
failed=

line() { # NAME RESULT SECONDS MORE: text of further fields, each with a comma before it
    printf '{"check":"%s","backend":"%s","result":"%s","seconds":%s%s}\n' "$1" "$backend" "$2" "$3" "$4"
    [ "$2" = fail ] && failed="$failed $1"
}
quoted() { printf '%s' "$*" | tr '\n\t' '  ' | sed 's/["\\]/\\&/g'; }
# Runs a command, output to $D/out, for at most two minutes and what time is left; sets took and, where it fails, why.
timed() {
    start=$(date +%s%N) why=
    if [ "$(left)" -lt 1 ]; then
        why="no time left of $seconds s" && took=0 && : >"$D/out"
        return 1
    fi
    cap=$(left)
    [ "$cap" -le 120 ] || cap=120
    timeout "$cap" "$@" >"$D/out" 2>&1
    code=$?
    took=$(awk -v ns="$(($(date +%s%N) - start))" 'BEGIN { printf "%.3f", ns / 1e9 }')
    [ $code = 0 ] && return
    why="exit code $code: $(tail -n 3 "$D/out" | cut -c 1-300)"
    return 1
}
check() { # NAME COMMAND...
    name=$1 && shift
    if timed "$@"; then line "$name" pass "$took" ""; else line "$name" fail "$took" ",\"why\":\"$(quoted "$why")\""; fi
}

# A figure of `proverun bench`: the least, the largest or the last of FIELD in its lines; lines of proofs must be accepted.
# AIM: at most, but at least where it is the largest; "-": none.
#   speed NAME FIELD min|max|last AIM BENCH-ARGUMENT...
speed() {
    name=$1 field=$2 which=$3 aim=$4 && shift 4
    if ! timed "$proverun" bench "$@" --backend "$backend" || grep -q '"accepted":false' "$D/out"; then
        line "$name" fail "$took" ",\"why\":\"$(quoted "${why:-a proof that does not verify}")\""
        return
    fi
    value=$(grep -o "\"$field\":[0-9.]*" "$D/out" | cut -d: -f2 | awk -v which="$which" '
        NR == 1 || which == "last" || (which == "min" ? $1 < v : $1 > v) { v = $1 } END { print v }')
    if [ -z "$value" ]; then
        line "$name" fail "$took" ",\"why\":\"no $field\""
        return
    fi
    reached=$(awk -v v="$value" -v aim="$aim" -v which="$which" 'BEGIN {
        if (aim != "-") printf ",\"aim\":%s,\"reached\":%s", aim, (which == "max" ? v >= aim : v <= aim) ? "true" : "false" }')
    line "$name" pass "$took" ",\"command\":\"$(quoted "bench $* --backend $backend")\",\"$field\":$value$reached"
}

# ---- what it is ----
smi() { command -v nvidia-smi >/dev/null && nvidia-smi "$@" 2>/dev/null; }
query=name,driver_version,pci.bus_id,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.limit,temperature.gpu
PROVERUN_TEST_BACKEND=$backend && export PROVERUN_TEST_BACKEND
if ! "$proverun" bench wide-fibonacci --log-rows 4 --columns 3 --pow-bits 0 --repeat 1 --backend "$backend" >"$D/first" 2>"$D/err"; then
    line device fail 0 ",\"why\":\"$(quoted "$(cat "$D/err")")\""
    exit 2
fi
version=$("$proverun" version | sed -n 's/^gpu: //p')
[ "$backend" = cuda ] || version="none; emulated by the processor"
line device pass 0 ",\"gpu\":\"$(quoted "$version")\",\"nvidia_smi\":\"$(quoted "$(smi --query-gpu=$query --format=csv,noheader | head -n 1)")\",\"fields\":\"$query\",\"date\":\"$(date -u +%FT%TZ)\""

if [ "$backend" = cuda ]; then
    main=20 mid=18 low=16 most=22 small='14' n_small=1000 bits=26 repeat=10 poseidon=18 large=--large
else
    main=6 mid=5 low=4 most=7 small='4' n_small=3 bits=8 repeat=1 poseidon=5 large=
fi

# ---- the same bytes ----
if [ -n "$large" ]; then
    check golden "$build/tests/prove/test_identity" "$backend" --least-device-memory
else
    check golden "$build/tests/prove/test_identity" "$backend" --least-device-memory "$vectors/plonk_l6.json" "$vectors/xor4_l7.json"
fi
check proofs_and_leaks "$build/tests/cuda/test_cuda_device"
digest() { "$proverun" bench wide-fibonacci --log-rows $low --repeat 1 --backend "$1" 2>/dev/null | sed 's/.*"proof_json_blake2s":"\([0-9a-f]*\)".*/\1/'; }
theirs=$(digest scalar)
check same_as_processor [ "$(digest "$backend")" = "${theirs:-nothing}" ]

# ---- speeds: aims in milliseconds, of poseidon2 in permutations a second ----
proof='wide-fibonacci --pow-bits 0 --columns'
standard='wide-fibonacci --columns 26 --queries 76 --pow-bits 20 --fold-step 2'
[ -n "$large" ] || standard="wide-fibonacci --columns 3 --queries 5 --pow-bits 4 --fold-step 2"
# shellcheck disable=SC2086
{
    speed yardstick prove_ms min 6 $proof 100 --log-rows $main --repeat $repeat
    speed standard_$low prove_ms min 5 $standard --log-rows $low --repeat $repeat
    speed standard_$mid prove_ms min 10 $standard --log-rows $mid --repeat $repeat
    speed standard_$main prove_ms min 30 $standard --log-rows $main --repeat $repeat
    speed commit_$mid total_ms min 1.67 commit --log-rows $mid --columns 8 --repeat $repeat
    speed commit_$main total_ms min 5.31 commit --log-rows $main --columns 8 --repeat $repeat
    speed commit_$most total_ms min 15.95 commit --log-rows $most --columns 4 --repeat $repeat
    speed poseidon2 units_per_second max 20000000 poseidon2 --log-rows $poseidon --repeat $repeat
    speed grind mean_ms last 5 grind --pow-bits $bits --repeat $((repeat * 2))
}
# From the process's start to its end, verification included; files are in the cache by now.
if timed "$proverun" bench wide-fibonacci --log-rows $main --pow-bits 0 --repeat 1 --backend "$backend"; then
    line cold pass "$took" ",\"aim\":2,\"reached\":$(awk -v v="$took" 'BEGIN { print v <= 2 ? "true" : "false" }')"
else
    line cold fail "$took" ",\"why\":\"$(quoted "$why")\""
fi

# How much of the time the GPU is busy, as nvidia-smi samples it, during small proofs, four at a time as in a run.
sampler=
if [ "$backend" = cuda ] && smi -L >/dev/null; then
    nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits -lms 100 >"$D/busy" 2>/dev/null &
    sampler=$!
    looks=0 # it takes a while to begin
    while [ ! -s "$D/busy" ] && [ $looks -lt 100 ] && kill -0 "$sampler" 2>/dev/null; do
        looks=$((looks + 1))
        sleep 0.1
    done
fi
# shellcheck disable=SC2086
speed small_proofs proofs_per_second max - $proof 30 --log-rows $small --repeat 3 --steady $n_small --provers 4
if [ -n "$sampler" ]; then
    kill "$sampler" 2>/dev/null
    wait "$sampler" 2>/dev/null
    busy=$(awk '{ all += $1; n++ } END { if (n) printf "%.1f", all / n }' "$D/busy")
    line busy pass 0 ",\"utilization_percent\":${busy:-null},\"aim\":90,\"samples\":$(wc -l <"$D/busy")"
fi

# ---- more of the same bytes: what may take long, behind the speeds ----
for op in transform merkle fold program logup sample quotient; do
    # shellcheck disable=SC2086
    if [ -n "$large" ] || [ $op = fold ]; then check "matrix_$op" "$build/tests/cuda/test_cuda_$op"; fi
done
[ -z "$large" ] || check golden_large "$build/tests/prove/test_identity" "$backend" $large

# ---- memory checked access by access ----
tool=${COMPUTE_SANITIZER:-$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)}
if [ ! -x "$tool" ] || [ "$backend" != cuda ]; then
    line memcheck skip 0 ',"why":"no compute-sanitizer, or no GPU"'
else
    PROVERUN_TEST_PROOFS=5 check memcheck sh "$here/sanitize.sh" "$tool" memcheck "$proverun" "$vectors" \
        "$build/tests/cuda/test_cuda_fold" "$build/tests/cuda/test_cuda_program" "$build/tests/cuda/test_cuda_device"
fi
line all "$([ -z "$failed" ] && echo pass || echo fail)" "$(($(date +%s) - begin))" ",\"failed\":\"$(quoted "$failed")\",\"nvidia_smi\":\"$(quoted "$(smi --query-gpu=$query --format=csv,noheader | head -n 1)")\""
[ -z "$failed" ]
