#!/bin/sh
# Each job type at a large size: units proven a second, and the share of the trace (docs/performance.md).
#   tests/bench/jobs.sh PROVERUN [THREADS ...]
# Inputs are made in a folder that goes away: a mebibyte of bytes, 2^19 values, a circuit of 2^17 gates, the largest walk of 2^20
# rows; programs and digits are those of the repository; job type air is measured where the tests are built (a case of 41
# components). REPEAT proofs each (default 5), the first with fresh memory; of the others the fastest and the cheapest.
# OPTIONS is handed on, such as OPTIONS='--backend avx2'; ONLY='vm plonk' measures these alone. Shares of the trace: of the time
# that passed, of processor time, and of the latter with what making the job takes (reading, hashing, running the program).
set -eu
binary=$(realpath "$1")
shift
jobs=$(cd "$(dirname "$0")/../../jobs" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_air=$(dirname "$binary")/tests/jobs/make_large_air
[ ! -x "$make_air" ] || "$make_air" "$work" 1 middle
python3 - "$work" "$jobs" "${ONLY:-}" <<'END_MAKE'
import os
import sys

work, jobs, only = sys.argv[1:]
open(f"{work}/bytes", "wb").write(bytes((i * 2654435761 >> 13) & 255 for i in range(1 << 20)))
open(f"{work}/values", "w").write(" ".join(str((i * 2654435761 >> 13) % 10) for i in range(1 << 19)))
with open(f"{work}/circuit.txt", "w") as f:
    f.write("secret x\nw0 = x + 1\n")
    for i in range(1, (1 << 17) - 1):
        f.write(f"w{i} = w{i - 1} {'*+'[i % 2]} w{max(0, i - 7)}\n")
    f.write(f"output w{(1 << 17) - 2}\n")
pixels = f"data: {jobs}/data_pipeline/digits.h5, dataset: pixels"
types = {"air": "case: large.json", "blake2s": "path: bytes", "sha256": "path: bytes", "file_hash": "path: bytes",
         "mlp_inference": f"model: {jobs}/mlp_inference/model.h5, images: {jobs}/mlp_inference/digits.h5, count: 128",
         "plonk": "circuit: circuit.txt, values: x=3",
         "poseidon2_merkle": "input_file: values",
         "state_machine": "x_steps: 1048576, y_steps: 524288",
         "wide_fibonacci": "log_rows: 18, columns: 100, seed: 7",
         "vm": f"program: {jobs}/vm/programs/fibonacci.asm, input: 170000, max_steps: 1048575",
         "generic_compute": f"program: {jobs}/generic_compute/label_changes.asm, {pixels}, max_steps: 1048575",
         "data_pipeline": f"operation: histogram, {pixels}, bins: 17, max_steps: 2097151"}
with open(f"{work}/manifest.yaml", "w") as f:
    f.write("version: 1\nname: bench\njobs:\n")
    for name, params in types.items():
        if (not only or name in only.split()) and (name != "air" or os.path.exists(f"{work}/large.json")):
            f.write(f"  - {{id: {name}, type: {name}, params: {{{params}}}}}\n")
END_MAKE
[ $# -gt 0 ] || set -- 1 2
for threads; do
    # shellcheck disable=SC2086
    "$binary" bench jobs "$work/manifest.yaml" --threads "$threads" --repeat "${REPEAT:-5}" ${OPTIONS:-} >"$work/$threads.jsonl"
    python3 - "$work/$threads.jsonl" <<'END_TELL'
import json
import sys

units = {"air": (1, "proofs"), "blake2s": (1024, "kB"), "sha256": (1024, "kB"), "file_hash": (1024, "kB"),
         "mlp_inference": (128, "images"), "plonk": (1 << 17, "gates"), "poseidon2_merkle": (1 << 15, "leaves"),
         "state_machine": (3 << 19, "steps"), "wide_fibonacci": (1 << 18, "rows"), "vm": (1020010, "steps"),
         "generic_compute": (1035081, "steps"), "data_pipeline": (1610120, "steps")}
proofs = {}
for line in open(sys.argv[1]):
    proof = json.loads(line)
    proofs.setdefault(proof["bench"], []).append(proof)


def cpu(proof):
    return sum(proof["cpu_ms"].values())


def shares(proof):
    """Filling the trace, of the time that passed and of processor time; the latter with making the job, too."""
    made = proof["create_processor_ms"]
    with_making = (made + proof["cpu_ms"]["trace"]) / (made + cpu(proof))
    return f"{proof['trace_ms'] / proof['prove_ms']:.1%} ({proof['cpu_ms']['trace'] / cpu(proof):.1%}; {with_making:.1%})"


for name, all_of_it in proofs.items():
    fresh, warm = all_of_it[0], all_of_it[1:] or all_of_it
    least, cheapest = min(warm, key=lambda p: p["prove_ms"]), min(warm, key=cpu)
    n, unit = units[name]
    print(f"{name} threads={least['threads']} {least['instructions']}: {least['prove_ms']:.0f} ms, "
          f"{n / least['prove_ms'] * 1e3:.4g} {unit}/s; processor time {cpu(cheapest):.0f} ms, "
          f"{n / cpu(cheapest) * 1e3:.4g} {unit}/s; making the job {fresh['create_processor_ms']:.0f} ms; "
          f"trace {shares(cheapest)}; first proof {fresh['prove_ms']:.0f} ms, trace {shares(fresh)}", flush=True)
END_TELL
done
