#!/bin/sh
# device_check.sh itself: at its reduced sizes under the emulation; and as on a GPU with programs that stand in, of which
# two fail; and without time.
#   device_check_test.sh DEVICE_CHECK.SH BUILD
set -u
check=$1 build=$2
D=$(mktemp -d "${TMPDIR:-/tmp}/proverun-devcheck-XXXXXX")
trap 'rm -rf "$D"' EXIT
FAILED=0
fail() {
    echo "FAILED: $*"
    FAILED=1
}
results() { # "name result" of every line, each of which is JSON
    python3 -c 'import json, sys
for text in sys.stdin: line = json.loads(text); print(line["check"], line["result"])' <"$1"
}

export COMPUTE_SANITIZER=$D/none
sh "$check" "$build" cuda-emu >"$D/out" 2>&1 || fail "under the emulation: exit code $?: $(cat "$D/out")"
results "$D/out" >"$D/results" || fail "not JSON: $(cat "$D/out")"
[ "$(grep -c ' pass$' "$D/results")" = 17 ] && [ "$(grep -v ' pass$' "$D/results")" = 'memcheck skip' ] ||
    fail "results: $(cat "$D/results")"

script() { # NAME: a program whose text is read
    mkdir -p "$D/$(dirname "$1")"
    { echo '#!/bin/sh' && cat; } >"$D/$1"
    chmod +x "$D/$1"
}
script proverun <<'S'
case "$1 $2" in
version*) echo 'gpu: a made-up "one"' ;;
'bench commit') echo 'no "memory"' >&2 && exit 70 ;;
*) echo '{"prove_ms":7.5,"accepted":true,"units_per_second":30000000,"mean_ms":4,"proofs_per_second":9,"proof_json_blake2s":"ab"}' ;;
esac
S
script bin/nvidia-smi <<'S'
case $* in *utilization*) sleep 0.3 && while echo 50 && sleep 0.1; do :; done ;; *) echo 'a made-up one, 999.1, 1980 MHz' ;; esac
S
for op in transform merkle fold program logup sample quotient; do echo 'exit 0' | script tests/cuda/test_cuda_$op; done
echo 'exit 4' | script tests/cuda/test_cuda_device
echo '[ "$1" = cuda ]' | script tests/prove/test_identity
PATH=$D/bin:$PATH sh "$check" "$D" >"$D/out" 2>&1
[ $? = 1 ] || fail "failures are not told"
results "$D/out" >"$D/results" || fail "not JSON: $(cat "$D/out")"
[ "$(grep ' fail$' "$D/results" | tr '\n' ' ')" = 'proofs_and_leaks fail commit_18 fail commit_20 fail commit_22 fail all fail ' ] ||
    fail "results: $(cat "$D/results")"
says() { grep -qF -e "$1" "$D/out" || fail "no '$1' in $(cat "$D/out")"; }
says '"nvidia_smi":"a made-up one, 999.1, 1980 MHz"'
says '"check":"commit_18","backend":"cuda","result":"fail"'
says '"why":"exit code 70: no \"memory\""'
says '"prove_ms":7.5,"aim":6,"reached":false'
says '"prove_ms":7.5,"aim":10,"reached":true'
says '"units_per_second":30000000,"aim":20000000,"reached":true'
says '"utilization_percent":50.0,"aim":90'
says '"failed":" proofs_and_leaks commit_18 commit_20 commit_22"'

CHECK_SECONDS=0 PATH=$D/bin:$PATH sh "$check" "$D" >"$D/out" 2>&1 && fail "no failure without time"
says '"why":"no time left of 0 s"'
exit $FAILED
