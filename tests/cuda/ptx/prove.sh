#!/bin/sh
# The backend cuda as nvcc compiles it, without a GPU: its code for the host against a stand-in for CUDA's runtime, and of its
# kernels what nvcc hands to the assembler (PTX), which a machine on the processor runs (machine.h). Golden cases have the
# recorded bytes, the matrix of tests/cpu is as on processors, and every kernel has run.
#   prove.sh NVCC ROOT BUILD
# BUILD: of the rest, with its static libraries.
set -eu
nvcc=$1 root=$2 build=$3
out=$(mktemp -d "${TMPDIR:-/tmp}/proverun-ptx-XXXXXX")
trap 'rm -rf "$out"' EXIT
cuda=$(dirname "$(dirname "$(realpath "$nvcc")")")
here=$root/tests/cuda/ptx

# ---- what runs ----
for file in "$root"/cuda/*.cu; do
    "$nvcc" -std=c++17 -gencode arch=compute_90,code=compute_90 --no-compress -D_GNU_SOURCE -DPR_HAVE_CUDA "-I$root" "-I$root/src" \
        -c -o "$out/$(basename "$file").o" "$file"
done
for file in parse run runtime; do
    c++ -std=c++17 -O2 "-I$cuda/include" "-I$here" -c -o "$out/$file.o" "$here/$file.cpp"
done
program() { # NAME SOURCE
    cc -std=c11 -O2 -D_GNU_SOURCE -DPR_HAVE_CUDA -DPR_HAVE_CUDA_EMU -DFIXTURE_CUDA "-DPR_TEST_VECTORS=\"$root/tests/vectors\"" "-I$root" "-I$root/src" "-I$root/jobs" -c -o "$out/$1.main" "$2"
    # shellcheck disable=SC2046
    c++ -o "$out/$1" "$out/$1.main" "$out"/*.o -Wl,--start-group $(find "$build/src" "$build/cuda" "$build/jobs" -name 'libpr_*.a') -Wl,--end-group \
        -ljansson -lsodium -lzstd -lz -lm -lpthread -ldl -fopenmp -lcmocka $(pkg-config --libs hdf5 hwloc yaml-0.1)
}

# ---- proofs, and the matrix ----
export PTX_LOG="$out/log" PROVERUN_TEST_BACKEND=cuda
program prove "$here/prove.c"
matrix=$root/tests/cpu
run() { "$@" >"$out/said" 2>&1 || { cat "$out/said" && exit 1; }; }
cd "$root/tests/vectors/cases"
"$out/prove" cube_l5.json mixed_sizes_4_6_8.json mixed_sizes_8_5_unused_l6.json plonk_l6.json range_check_l5_t8_grind.json \
    range_check_l6_t4.json row_fibonacci_l5.json row_previous_l6.json state_machine_l6.json wide_fibonacci_l4_c4.json \
    wide_fibonacci_l6_c10.json wide_fibonacci_l6_c8_blowup16.json wide_fibonacci_l7_c20_fold2.json \
    wide_fibonacci_l8_c20_fold3_last2.json wide_fibonacci_l8_c33_blowup4.json wide_fibonacci_l9_c100_lifted.json \
    xor4_l7.json xor4_l8_foreign_transcript.json random/random_0*.json
for test in "$matrix"/test_transform.c "$matrix"/test_merkle.c "$matrix"/test_fold.c "$matrix"/test_program.c "$matrix"/test_logup.c \
    "$matrix"/test_sample.c "$matrix"/test_quotient.c "$root/tests/cuda/test_derive.c"; do
    program "$(basename "$test" .c)" "$test"
    run "$out/$(basename "$test" .c)"
done

# ---- kernels: but for the one that flips a bit, and that of layers of FRI of 2^18 leaves and more ----
grep '^there' "$out/log" | sort -u | cut -d' ' -f2 >"$out/there"
grep '^launched' "$out/log" | sort -u | cut -d' ' -f2 >"$out/launched"
grep -c . "$out/launched" | sed 's/$/ kernels were launched/'
! grep -vxFf "$out/launched" "$out/there" | grep -v -e flip_kernel -e fri_levels_kernel || { echo "these kernels never ran" && exit 1; }
