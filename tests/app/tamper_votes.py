"""Changes one thing of the consensus in a results file: tamper_votes.py FILE KIND."""
import sys

import h5py

path, kind = sys.argv[1:]
with h5py.File(path, "r+") as f:

    def flip(table, row, at):
        """One bit of the bytes of a row, counted from the end when at is negative."""
        entry = f[table][row]
        place = int(entry["offset"]) + (at if at >= 0 else int(entry["length"]) + at)
        f["signed"][place] ^= 1

    def change(table, row, column, value):
        rows = f[table][:]
        rows[row][column] = value
        f[table][...] = rows

    if kind == "certificate":
        flip("certificates", 0, -1)
    elif kind == "vote":
        flip("votes", 0, -1)
    elif kind == "verdict":
        change("votes", 0, "verdict", 2)
    elif kind == "batch":
        flip("batches", 0, -1)
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
    elif kind == "removal":
        change("validators", 3, "removal", 1)
    elif kind == "leader":
        change("views", 0, "leader", f["views"][0]["leader"] + 1)
    elif kind == "reason":
        change("views", 0, "reason", b"leader_removed")
    elif kind == "no_reason":
        change("views", 0, "reason", b"")
    elif kind == "view":
        change("views", 0, "id", b"2")
    elif kind == "view_signers":
        change("views", 0, "n_signers", 4)
    elif kind == "view_certificate":
        flip("views", 0, -1)
    elif kind == "evidence":
        flip("evidence", 0, -1)
    elif kind == "evidence_attempt":
        change("evidence", 0, "attempt", 99)
    elif kind == "offender":
        change("evidence", 0, "offender", 0)
    elif kind == "prover":
        change("certificates", 0, "prover", 99)
    elif kind == "n_votes":
        change("certificates", 0, "n_votes", 4)
    elif kind == "n_signers":
        change("batches", 0, "n_signers", 1)
    elif kind == "outcome":
        change("consensus", 0, "outcome", 2)
    elif kind == "size":
        f.attrs["consensus_committee_size"] = "0"
    elif kind == "drop":
        for name in ("validators", "votes", "certificates"):
            del f[name]
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
