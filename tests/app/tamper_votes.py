"""Changes one thing of the consensus in a results file: tamper_votes.py FILE KIND."""
import sys

import h5py
import numpy

path, kind = sys.argv[1:]
with h5py.File(path, "r+") as f:

    def flip(table):
        """One bit of the last byte of what the first row names, which is of a signature."""
        entry = f[table][0]
        f["signed"][int(entry["offset"]) + int(entry["length"]) - 1] ^= 1

    def change(table, row, column, value):
        rows = f[table][:]
        rows[row][column] = value(rows[row][column]) if callable(value) else value
        f[table][...] = rows

    def pack(rows, types):
        """Packed, with the file's own types of texts."""
        packed = numpy.zeros(len(rows), [(n, types.fields[n][0]) for n in rows.dtype.names])
        for n in rows.dtype.names:
            packed[n] = rows[n]
        return packed

    flips = {
        "certificate": "certificates",
        "vote": "votes",
        "batch": "batches",
        "view_certificate": "views",
        "evidence": "evidence",
    }
    changes = {
        "verdict": ("votes", 0, "verdict", 2),
        "removal": ("validators", 3, "removal", 1),
        "leader": ("views", 0, "leader", 99),
        "reason": ("views", 0, "reason", b"leader_removed"),
        "no_reason": ("views", 0, "reason", b""),
        "view": ("views", 0, "id", lambda id: b"%d" % (int(id) + 1)),
        "view_signers": ("views", 0, "n_signers", lambda n: n + 1),
        "evidence_attempt": ("evidence", 0, "attempt", 99),
        "offender": ("evidence", 0, "offender", 0),
        "prover": ("certificates", 0, "prover", 99),
        "n_votes": ("certificates", 0, "n_votes", 4),
        "n_signers": ("batches", 0, "n_signers", 1),
        "outcome": ("consensus", 0, "outcome", 2),
    }
    if kind in flips:
        flip(flips[kind])
    elif kind in changes:
        change(*changes[kind])
    elif kind == "swap":
        rows = f["certificates"][:]
        for column in ("offset", "length"):
            rows[column][:2] = rows[column][1::-1]
        f["certificates"][...] = rows
    elif kind == "rename":
        rows = f["certificates"][:]
        rows["id"][:2] = rows["id"][1::-1]
        f["certificates"][...] = rows
    elif kind == "lost":
        f["certificates"].resize((len(f["certificates"]) - 1,))
    elif kind == "key":
        change("validators", 1, "public_key", f["validators"][2]["public_key"])
    elif kind == "size":
        f.attrs["consensus_committee_size"] = "0"
    elif kind == "drop":
        for name in ("validators", "votes", "certificates"):
            del f[name]
    elif kind == "old_views":  # as if from before these columns
        old = f["views"][:][[n for n in f["views"].dtype.names if n not in ("reason", "leader")]]
        old = pack(old, f["views"].dtype)
        del f["views"]
        f.create_dataset("views", data=old, chunks=(32,), maxshape=(None,), compression="gzip")
    elif kind == "stripped":  # as if from before the consensus
        for name in ("consensus_seed", "consensus_committee_size"):
            del f.attrs[name]
        for name in ("validators", "votes", "certificates", "views", "evidence", "consensus", "batches", "signed"):
            del f[name]
    elif kind == "merged":  # as if from files that hold the certificates
        f.attrs["input.1.run_id"] = f.attrs["run_id"]
        for name in ("validators", "certificates"):
            del f[name]
    else:
        raise SystemExit("no such kind: " + kind)
