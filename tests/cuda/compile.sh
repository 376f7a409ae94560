#!/bin/sh
# Compiles every .cu file for a GPU, where the toolkit's compiler is; nothing runs. Kernels keep what they have in
# registers: none spills, and none has local memory but those named here.
#   compile.sh NVCC ROOT ARCH...
set -u
nvcc=$1 root=$2
shift 2
out=$(mktemp -d "${TMPDIR:-/tmp}/proverun-nvcc-XXXXXX")
trap 'rm -rf "$out"' EXIT
failed=0
for arch; do
    BLOCKS=levels_kernel sh "$root/tests/bench/cuda_kernels.sh" "$nvcc" "$arch" >"$out/kernels" || exit 1
    grep -v '^ ' "$out/kernels"
    awk -v arch="$arch" '
        BEGIN { # bytes of local memory: of folds by more than three layers
            may["fri_tail_kernel"] = may["fri_layer_kernel"] = 512
        }
        NR == 1 || /::/ { next }
        /^ / { listed += $5; next }
        $1 ~ /levels_kernel/ { counted += $2 }
        { n++ }
        NF != 8 || $2 == 0 { print arch ": no counts: " $0; bad = 1; next }
        $8 > 0 { print arch ": " $1 " spills " $8 " bytes of registers; none may"; bad = 1 }
        $7 > may[$1] { print arch ": " $1 " has " $7 " bytes of local memory; allowed are " may[$1] + 0; bad = 1 }
        END { if (listed != counted) { print arch ": stretches have " listed " instructions, their kernels " counted; bad = 1 }
            if (n < 20) print arch ": " n + 0 " kernels were found, at least 20 expected"; exit bad || n < 20 }' "$out/kernels" || failed=1
done
exit $failed
