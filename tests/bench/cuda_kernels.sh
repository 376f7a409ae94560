#!/bin/sh
# What the CUDA compiler makes of each kernel, a line each, without a GPU. Code for the host is compiled as well, so that what
# fails there fails here:
#   tests/bench/cuda_kernels.sh NVCC [ARCH [FILE.cu ...]]
# Counts are static: an instruction in a loop counts once, and both sides of a branch count. BLOCKS=NAME in the
# environment lists, below each kernel with this in its name, the stretches of code between branches, so that one can
# count along a path. Instructions of sm_70 and later have 16 bytes; the lowest 9 bits of each are its operation.
#   instr  all but padding
#   mul    IMAD and IMAD.WIDE, which have a pipe of their own
#   alu    other operations of a thread's registers
#   mem    of global, shared, local and constant memory; the rest is control, and operations of uniform registers
#   regs, stack (bytes of local memory), spill (bytes stored and loaded): what ptxas says
# Needs readelf and c++filt.
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

# What an instruction is, for awk: its 16 bytes are eight words.
classes='
    BEGIN { # NOP; IMAD, IMAD.WIDE, IMAD.HI; ULDC, LD, LDG, LDC, LDL, LDS, ST, STG, STL, STS, atomics
        nop = 280; mul[36] = mul[37] = mul[39] = 1
        n = split("185 384 385 386 387 388 389 390 391 392 394 396 397 398 424 425", m)
        for (i = 1; i <= n; i++) mem[m[i]] = 1
    }
    { op = $1 % 512
      if (op != nop) { total++
          if (op in mem) n_mem++; else if (op in mul) n_mul++; else if (op < 128) n_alu++ } }'

# "KERNEL OFFSET BYTES" of each kernel's code
kernels() {
    readelf -WS "$1" 2>/dev/null | sed 's/^ *\[ *[0-9]*\] //' |
        awk '$1 ~ /^\.text\./ { print substr($1, 7), $4, $5 }'
}
code() { od -An -v -tu2 -w16 -j "$((0x$2))" -N "$((0x$3))" "$1"; }

# "KERNEL INSTR MUL ALU MEM" of each kernel
instructions() {
    kernels "$1" | while read -r name offset bytes; do
        code "$1" "$offset" "$bytes" | awk -v name="$name" "$classes"'
            END { print name, total + 0, n_mul + 0, n_alu + 0, n_mem + 0 }'
    done
}

# The stretches between branches of a kernel. The distance of a branch (BRA), in 4 bytes, is in bits 16-23 and 34-81.
blocks() {
    awk "$classes"'
        function cut(at) { starts[at] = 1 }
        { instr[NR] = total + 0; muls[NR] = n_mul + 0; alus[NR] = n_alu + 0; mems[NR] = n_mem + 0 }
        op == 327 { high = int($3 / 4) + $4 * 2^14 + $5 * 2^30 + $6 % 4 * 2^46
                    if (high >= 2^47) high -= 2^48
                    to[NR] = NR + 1 + (high * 256 + $2 % 256) / 4; cut(to[NR]); cut(NR + 1) }
        op == 333 { cut(NR + 1) }
        END { for (first = last = 1; last <= NR; last++)
                  if (last == NR || (last + 1) in starts) {
                      before = first - 1
                      if (instr[last] > instr[before])
                          printf "  %5d .. %-5d instr %4d  mul %4d  alu %4d  mem %3d%s\n", first, last, instr[last] - instr[before],
                              muls[last] - muls[before], alus[last] - alus[before], mems[last] - mems[before],
                              last in to ? "  may go to " to[last] : ""
                      first = last + 1
                  } }'
}

printf '%-44s %6s %6s %6s %6s %5s %6s %6s\n' "kernel ($arch)" instr mul alu mem regs stack spill
for file; do
    "$nvcc" -std=c++17 -arch="$arch" -Werror all-warnings -D_GNU_SOURCE -DPR_HAVE_CUDA -I. -Isrc --cuda -Xptxas -v --keep --keep-dir "$out" -o "$out/host" "$file" 2>"$out/log" ||
        { cat "$out/log" >&2 && exit 1; }
    resources "$out/log" | sort >"$out/resources"
    cubin=$out/$(basename "$file" .cu).$arch.cubin
    instructions "$cubin" | sort >"$out/instructions"
    join "$out/instructions" "$out/resources" | c++filt | sed 's/([^)]*)* / /; s/^void //; s/, */,/g; s/[a-z_]*:://g' |
        awk '{ printf "%-44s %6s %6s %6s %6s %5s %6s %6s\n", $1, $2, $3, $4, $5, $6, $7, $8 }'
    [ -z "${BLOCKS:-}" ] || kernels "$cubin" | grep -- "$BLOCKS" | while read -r name offset bytes; do
        echo "$name" | c++filt
        code "$cubin" "$offset" "$bytes" | blocks
    done
done
