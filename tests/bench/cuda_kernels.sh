#!/bin/sh
# What the CUDA compiler makes of each kernel, a line each, without a GPU:
#   tests/bench/cuda_kernels.sh NVCC [ARCH [FILE.cu ...]]
# Counts are static: an instruction in a loop counts once, and both sides of a branch count. Instructions of sm_70 and
# later have 16 bytes; the lowest 9 bits of each are its operation. instr: all but padding; mul: IMAD and IMAD.WIDE,
# which have a pipe of their own; alu: other operations of a thread's registers; mem: of global, shared, local and
# constant memory; the rest is control, and operations of uniform registers. regs, stack (bytes of local memory) and spill (bytes stored and loaded) are what ptxas says. Needs readelf and c++filt.
set -eu
nvcc=${1:?usage: cuda_kernels.sh NVCC [ARCH [FILE.cu ...]]} arch=${2:-sm_90}
shift
[ $# -eq 0 ] || shift
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- cuda/*.cu
out=$(mktemp -d "${TMPDIR:-/tmp}/proverun-kernels-XXXXXX")
trap 'rm -rf "$out"' EXIT

# "KERNEL REGS STACK SPILL" of each kernel from what ptxas says
resources() {
    awk '/Function properties for/ { name = $NF }
        /bytes stack frame/ { stack[name] = $1; spill[name] = $5 + $9 }
        /Used [0-9]+ registers/ { for (i = 1; i < NF; i++) if ($i == "Used") print name, $(i + 1), stack[name], spill[name] }' "$1"
}

# "KERNEL INSTR MUL ALU MEM" of each kernel from its code
instructions() {
    readelf -WS "$1" 2>/dev/null | sed 's/^ *\[ *[0-9]*\] //' | awk '$1 ~ /^\.text\./ { print substr($1, 7), $4, $5 }' |
        while read -r name offset bytes; do
            od -An -v -tu2 -w16 -j "$((0x$offset))" -N "$((0x$bytes))" "$1" | awk -v name="$name" '
                BEGIN { # NOP; IMAD, IMAD.WIDE, IMAD.HI; ULDC, LD, LDG, LDC, LDL, LDS, ST, STG, STL, STS, atomics
                    nop = 280; mul[36] = mul[37] = mul[39] = 1
                    n = split("185 384 385 386 387 388 389 390 391 392 394 396 397 398 424 425", m)
                    for (i = 1; i <= n; i++) mem[m[i]] = 1
                }
                { op = $1 % 512; if (op == nop) next; total++
                  if (op in mem) n_mem++; else if (op in mul) n_mul++; else if (op < 128) n_alu++ }
                END { print name, total + 0, n_mul + 0, n_alu + 0, n_mem + 0 }'
        done
}

printf '%-44s %6s %6s %6s %6s %5s %6s %6s\n' "kernel ($arch)" instr mul alu mem regs stack spill
for file; do
    "$nvcc" -std=c++17 -arch="$arch" -Werror all-warnings -D_GNU_SOURCE -DPR_HAVE_CUDA -I. -Isrc -cubin -Xptxas -v -o "$out/cubin" "$file" 2>"$out/log" ||
        { cat "$out/log" >&2 && exit 1; }
    resources "$out/log" | sort >"$out/resources"
    instructions "$out/cubin" | sort >"$out/instructions"
    join "$out/instructions" "$out/resources" | c++filt | sed 's/([^)]*)* / /; s/^void //; s/, */,/g; s/[a-z_]*:://g' |
        awk '{ printf "%-44s %6s %6s %6s %6s %5s %6s %6s\n", $1, $2, $3, $4, $5, $6, $7, $8 }'
done
