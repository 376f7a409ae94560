#!/bin/sh
# Compiles every .cu file for a GPU, where the toolkit's compiler is; nothing runs.
#   compile.sh NVCC ROOT
set -u
out=$(mktemp -d "${TMPDIR:-/tmp}/proverun-nvcc-XXXXXX")
trap 'rm -rf "$out"' EXIT
cd "$2" || exit 2
failed=0
for file in cuda/*.cu; do
    "$1" -std=c++17 -arch=sm_90 -Werror all-warnings -D_GNU_SOURCE -DPR_HAVE_CUDA -I. -Isrc -cubin -o "$out/x" "$file" || failed=1
done
exit $failed
