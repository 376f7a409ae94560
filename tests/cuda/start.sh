#!/bin/sh
# One binary runs everywhere: it needs no library of CUDA at its start, looks for the driver only when asked for a GPU, and says
# in words what is missing; so does cmake without a toolkit. With the backend cuda in the build: there is code for every
# architecture.
#   start.sh PROVERUN ROOT [ARCHITECTURES]
set -u
PROVERUN=$1 ROOT=$2 architectures=${3:-}
D=$(mktemp -d "${TMPDIR:-/tmp}/proverun-start-XXXXXX")
trap 'rm -rf "$D"' EXIT
FAILED=0
fail() {
    echo "FAILED: $*"
    FAILED=1
}
says() { # FILE PATTERN
    grep -q -e "$2" "$1" || fail "no '$2' in: $(cat "$1")"
}

# ---- what it needs to start, and what it looks for ----
readelf -d "$PROVERUN" >"$D/needed" || exit 1
grep -q NEEDED "$D/needed" || fail "no libraries at all: $(cat "$D/needed")"
grep -E 'NEEDED.*lib(cuda|nvidia)' "$D/needed" && fail "it does not start without a library of CUDA"
looked_for() { # ARGUMENT...: libraries of CUDA that it looked for
    LD_DEBUG=libs "$PROVERUN" "$@" 2>&1 >/dev/null | grep -oE 'find library=lib(cuda|nvidia)[^ ]*' | sort -u
}
small='bench wide-fibonacci --log-rows 5 --columns 3 --repeat 1 --pow-bits 0'
# shellcheck disable=SC2086
[ -z "$(looked_for $small --backend scalar)" ] || fail "a proof on the processor looks for $(looked_for $small --backend scalar)"

# ---- without a toolkit ----
configure() { cmake -DCMAKE_CXX_COMPILER=c++ "$@" -P "$ROOT/cuda/toolkit.cmake" >"$D/cmake" 2>&1 || fail "cmake: $(cat "$D/cmake")"; }
configure -DPR_CUDA=ON -DPR_NVCC=
says "$D/cmake" 'cuda: no nvcc in PATH.*no backend cuda in this build'
configure -DPR_CUDA=ON -DPR_NVCC=/bin/nvcc -DCMAKE_CXX_COMPILER=
says "$D/cmake" 'cuda: no C++ compiler'
configure -DPR_NVCC=
[ -s "$D/cmake" ] && fail "nobody asked for it: $(cat "$D/cmake")"

# ---- without a GPU ----
"$PROVERUN" version >"$D/version" || fail "version: exit code $?"
export CUDA_VISIBLE_DEVICES=
# shellcheck disable=SC2086
"$PROVERUN" $small --backend cuda >"$D/out" 2>"$D/err"
[ $? = 2 ] || fail "--backend cuda without a GPU: not exit code 2"
"$PROVERUN" topo >"$D/topo" 2>&1 || fail "topo: exit code $?: $(cat "$D/topo")"
if ! grep -qE '^backends:.* cuda( |$)' "$D/version"; then
    says "$D/version" '^gpu: none (this build has no CUDA backend)'
    says "$D/err" "no backend 'cuda'; allowed: auto, "
    exit $FAILED
fi
says "$D/err" "backend 'cuda' cannot run on this machine: CUDA_VISIBLE_DEVICES hides every GPU; auto"
"$PROVERUN" version >"$D/hidden" || fail "version: exit code $?"
says "$D/hidden" '^gpu: none (CUDA_VISIBLE_DEVICES hides every GPU)'
says "$D/hidden" '^auto: [sa]' # scalar, avx2, avx512
unset CUDA_VISIBLE_DEVICES
[ "$(looked_for version | grep -c libcuda.so.1)" = 1 ] || fail "version does not look for the driver"
# A driver of another time, which stands in for one: what it is for is asked of it without starting it.
mkdir "$D/old"
printf 'int cuDriverGetVersion(int *v) { return *v = 12080, 0; }\n' | cc -shared -fPIC -x c -o "$D/old/libcuda.so.1" - || exit 1
LD_LIBRARY_PATH=$D/old "$PROVERUN" version >"$D/old/version" || fail "version: exit code $?"
says "$D/old/version" '^gpu: none (the NVIDIA driver is for CUDA 12.8; this program needs one for CUDA 13.0 or newer)'
says "$D/old/version" '^auto: [sa]'
if ! ldconfig -p 2>/dev/null | grep -q libcuda.so.1; then
    says "$D/version" '^gpu: none (.*no NVIDIA driver.*libcuda.so.1'
fi

# ---- architectures: unless others were asked for, code for three, PTX for newer ones, of every file ----
[ "$architectures" = '80-real;89-real;90' ] || exit $FAILED
python3 "$ROOT/tests/cuda/fatbin.py" "$PROVERUN" >"$D/code" || exit 1
set -- "$ROOT"/cuda/*.cu
[ "$(cat "$D/code")" = "$(printf '%s\n' "elf 80 $#" "elf 89 $#" "elf 90 $#" "ptx 90 $#")" ] ||
    fail "of $# files there is: $(cat "$D/code")"
exit $FAILED
