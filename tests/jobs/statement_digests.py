#!/usr/bin/python3
"""Recomputes statement digests from docs/statement.md alone.

    statement_digests.py PROVERUN STATEMENT.md

Of each example of a job type that the page gives whole, with its statement digest: takes the public data from the page's
table and everything else from the JSON of `proverun air`, writes both digests' bytes as the page says, hashes them with
hashlib, and compares with the page and with what the program says. Shares no code with the program."""
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

VM_CODE = "LOADIMM r1, OUTPUT\nHALT\n.word 7"
COUNT_CODE = ("LOADIMM r1, INPUT\nLOAD r2, r1\nLOADIMM r3, OUTPUT\nLOADIMM r4, 1\n"
              "STORE r4, r3\nSTORE r2, r3, 1\nHALT")
CIRCUIT = "public x\ny = x * x\noutput y\n"
VALUES = "3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3 2 3 8 4"

# The parameters of the page's examples.
EXAMPLES = {
    "blake2s": ["text=abc"],
    "sha256": ["text=abc"],
    "file_hash": ["text=abc"],
    "wide_fibonacci": ["log_rows=4", "columns=5", "seed=7"],
    "vm": ["code=" + VM_CODE, "input=5"],
    "generic_compute": ["code=" + COUNT_CODE, "input=3 5"],
    "data_pipeline": ["operation=min", "input=3 1 4"],
    "poseidon2_merkle": ["input=" + VALUES],
    "state_machine": ["x=5", "y=9", "x_steps=20", "y_steps=7"],
    "plonk": ["circuit=circuit.txt", "values=x=3"],
    "mlp_inference": ["model=model.h5", "input=7 3", "labels=1"],
}
LAYERS = [([[2, -1]], [3], 128, 8), ([[1], [-1]], [0, 20], 0, 0)]  # weights, biases, multiplier, shift

OPERATIONS = ["col", "pre", "const", "add", "sub", "mul", "neg"]


def u32(v):
    return struct.pack("<I", v)


def i32(v):
    return struct.pack("<i", v)


def u64(v):
    return struct.pack("<Q", v)


def data(b):
    return u64(len(b)) + b


def text(s):
    return data(s.encode())


def array(items, write):
    return u32(len(items)) + b"".join(write(x) for x in items)


def write_preprocessed(column):
    values = column.get("values", [])
    return (text(column["id"]) + u32(column["log_size"]) + u64(len(values)) +
            struct.pack("<%dI" % len(values), *values))


def write_node(node):
    (name, operands), = node.items()
    a, b = operands if isinstance(operands, list) else (operands, 0)
    return u32(OPERATIONS.index(name)) + u32(a) + u32(b)


def write_constraint(constraint):
    return u32(constraint if isinstance(constraint, int) else constraint["node"])


def write_component(c):
    lookups = [dict(l, batch=batch) for l, batch in zip(c["lookups"], c["batches"])]
    assert len(lookups) == len(c["lookups"])
    return (text(c["name"]) + u32(c["log_size"]) +
            array(c["columns"], lambda column: array(column["offsets"], i32)) +
            array(c["nodes"], write_node) +
            array(c["constraints"], write_constraint) +
            array(lookups, lambda l: u32(l["relation"]) + u32(l["multiplicity"]) + array(l["values"], u32) +
                  u32(l["batch"])) +
            u32(max(c["batches"]) + 1 if lookups else 0))


def air_digest(air):
    return hashlib.blake2s(
        text("proverun-air/1") + text(air["name"]) +
        array(air["preprocessed"], write_preprocessed) +
        array(air["relations"], lambda r: text(r["name"]) + u32(r["size"])) +
        array(air["components"], write_component)).digest()


def statement_digest(job_type, case, public_data):
    config = case["config"]
    lifting = config.get("lifting_log_size")
    return hashlib.blake2s(
        text("proverun-statement/1") + text(job_type) + u32(1) + air_digest(case["air"]) +
        u32(config["pow_bits"]) + u32(config["log_blowup_factor"]) + u32(config["n_queries"]) +
        u32(config["log_last_layer_degree_bound"]) + u32(config["fold_step"]) +
        bytes([lifting is not None]) + u32(lifting or 0) + u32(config["interaction_pow_bits"]) +
        b"\0" +
        array(case["public_terms"], lambda t: u32(t["relation"]) + u32(t["multiplicity"]) + array(t["values"], u32)) +
        data(public_data)).hexdigest()


def read_examples(page):
    """type -> (bytes of the table, statement digest): where a line ends in `Statement digest of `TYPE`: `HEX`."""
    found = {}
    for match in re.finditer(r"Statement digest of `(\w+)`: `([0-9a-f]{64})`", page):
        table = page[:match.start()].rsplit("```\n", 2)[1]
        written = b""
        for line in table.splitlines():
            offset, row = line[:4].strip(), re.match(r"(?:[0-9a-f]{2} )*[0-9a-f]{2}(?=  |$)", line[6:])
            assert row and (not offset or int(offset) == len(written)), line
            written += bytes.fromhex(row[0])
        found[match[1]] = (written, match[2])
    return found


def write_network(path):
    """Whether there is h5py to write it with."""
    try:
        import h5py
    except ImportError:
        return False
    with h5py.File(path, "w") as f:
        f.attrs.create("input_max", 16, dtype="u4")
        for k, (weights, biases, multiplier, shift) in enumerate(LAYERS):
            layer = f.create_group("layers/%d" % k)
            layer.create_dataset("weights", data=weights, dtype="i1")
            layer.create_dataset("biases", data=biases, dtype="i4")
            layer.attrs.create("multiplier", multiplier, dtype="u4")
            layer.attrs.create("shift", shift, dtype="u4")
    return True


def main():
    program, page_path = os.path.abspath(sys.argv[1]), sys.argv[2]
    with open(page_path, encoding="utf-8") as f:
        found = read_examples(f.read())
    assert sorted(found) == sorted(EXAMPLES), "examples of the page: " + ", ".join(sorted(found))
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "circuit.txt"), "w", encoding="utf-8") as f:
            f.write(CIRCUIT)
        if not write_network(os.path.join(folder, "model.h5")):
            print("no h5py here: no statement of mlp_inference")
            del EXAMPLES["mlp_inference"]
        for job_type, params in EXAMPLES.items():
            out = subprocess.run([program, "air", job_type] + params, cwd=folder, check=True, capture_output=True)
            case = json.loads(out.stdout)
            public_data, documented = found[job_type]
            computed = statement_digest(job_type, case, public_data)
            print(job_type, computed)
            if not computed == documented == case["statement_digest"]:
                sys.exit("%s: computed %s\n the page says %s\n the program says %s" %
                         (job_type, computed, documented, case["statement_digest"]))


main()
