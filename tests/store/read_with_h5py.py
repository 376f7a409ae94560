"""A results file read by plain h5py, as an analyst would: columns, kinds, provenance, the bytes of each proof."""
import sys

import h5py

with h5py.File(sys.argv[1], "r") as f:
    jobs = f["jobs"]
    assert jobs.dtype.names[0] == "id", jobs.dtype
    outcomes = {v: k for k, v in h5py.check_enum_dtype(jobs.dtype["outcome"]).items()}
    assert jobs.dtype["insecure"] == bool
    done = [j for j in jobs[:] if outcomes[j["outcome"]] in ("approved", "self_verified")]
    assert len(done) == len(jobs) == int(sys.argv[2]), len(done)
    index = {row["id"]: row for row in f["proofs/index"][:]}
    for job in done:
        row = index[job["id"]]
        proof = f["proofs/data"][row["offset"] : row["offset"] + row["length"]].tobytes()
        assert row["codec"] == b"zstd" and proof[:4] == b"\x28\xb5\x2f\xfd"
        assert len(proof) == job["proof_compressed_bytes"] and row["hash"] == job["proof_hash"]
        assert job["prove_ms"] > 0 and len(job["statement_digest"]) == 64
    for name in ("params", "outputs", "public_data/index", "sessions"):
        assert f[name].dtype.names[0] == "id" and len(f[name]) > 0, name
    for column in jobs.dtype.names:
        assert jobs.attrs["column:" + column]
    for name in ("format_version", "creator", "creator_version", "manifest_text", "manifest_digest", "command_line",
                 "configuration", "libraries", "hosts", "topology", "slurm_environment", "started_at", "file_time",
                 "file_update_time", "HDF5_Version", "run_id"):
        assert isinstance(f.attrs[name], str), name
