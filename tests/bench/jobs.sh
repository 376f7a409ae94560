#!/bin/sh
# Each job type at a large size: units proven a second, and the share of the trace (docs/performance.md).
#   tests/bench/jobs.sh PROVERUN [THREADS ...]
# Inputs are made in a folder that goes away: a mebibyte of bytes, a circuit of 2^17 gates, loops for the VM; the digits
# are those of the repository. REPEAT proofs each (default 5), the first with fresh memory; "least" is the fastest one.
set -eu
binary=$(realpath "$1")
shift
jobs=$(cd "$(dirname "$0")/../../jobs" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" "$jobs" <<'END'
import sys
work, jobs = sys.argv[1:]
open(f"{work}/bytes", "wb").write(bytes((i * 2654435761 >> 13) & 255 for i in range(1 << 20)))
with open(f"{work}/circuit.txt", "w") as f:
    f.write("secret x\nw0 = x + 1\n")
    for i in range(1, (1 << 17) - 1):
        f.write(f"w{i} = w{i - 1} {'*+'[i % 2]} w{max(0, i - 7)}\n")
    f.write(f"output w{(1 << 17) - 2}\n")
types = {"blake2s": "path: bytes", "sha256": "path: bytes", "file_hash": "path: bytes",
         "mlp_inference": f"model: {jobs}/mlp_inference/model.h5, images: {jobs}/mlp_inference/digits.h5, count: 128",
         "plonk": "circuit: circuit.txt, values: x=3",
         "generic_compute": f"program: {jobs}/generic_compute/label_changes.asm, data: {jobs}/data_pipeline/digits.h5, "
                            "dataset: pixels, max_steps: 1048575",
         "data_pipeline": f"operation: histogram, data: {jobs}/data_pipeline/digits.h5, dataset: pixels, bins: 17, "
                          "max_steps: 2097151"}
with open(f"{work}/manifest.yaml", "w") as f:
    f.write("version: 1\nname: bench\njobs:\n")
    for name, params in types.items():
        f.write(f"  - {{id: {name}, type: {name}, params: {{{params}}}}}\n")
END
for threads in ${*:-1 2}; do
    "$binary" bench jobs "$work/manifest.yaml" --threads "$threads" --repeat "${REPEAT:-5}" >"$work/$threads.jsonl"
    python3 - "$work/$threads.jsonl" <<'END'
import json, sys
units = {"blake2s": (1024, "kB"), "sha256": (1024, "kB"), "file_hash": (1024, "kB"), "mlp_inference": (128, "images"),
         "plonk": (1 << 17, "gates"), "generic_compute": (1035081, "steps"), "data_pipeline": (1610120, "steps")}
proofs = {}
for line in open(sys.argv[1]):
    proof = json.loads(line)
    proofs.setdefault(proof["bench"], []).append(proof)

def total(proof):
    return sum(proof["cpu_ms"].values())

def share(proof):
    return f"{proof['trace_ms'] / proof['prove_ms']:.1%}, of processor time {proof['cpu_ms']['trace'] / total(proof):.1%}"

for name, all_of_it in proofs.items():
    fresh, least, cheapest = all_of_it[0], min(all_of_it, key=lambda p: p["prove_ms"]), min(all_of_it, key=total)
    n, unit = units[name]
    print(f"{name} threads={least['threads']}: {least['prove_ms']:.0f} ms, {n / least['prove_ms'] * 1e3:.0f} {unit}/s; "
          f"processor time {total(cheapest):.0f} ms, {n / total(cheapest) * 1e3:.0f} {unit}/s; "
          f"trace {cheapest['cpu_ms']['trace']:.0f} ms, lookups {cheapest['cpu_ms']['lookups']:.0f} ms; "
          f"trace's share {share(least)}; first proof {fresh['prove_ms']:.0f} ms, {share(fresh)}", flush=True)
END
done
