#!/usr/bin/python3
"""Accuracy over all proven mlp_inference jobs of a results file, from their outputs (Debian: python3-h5py).

    /usr/bin/python3 jobs/mlp_inference/accuracy.py results/RUN.h5

Only jobs that were approved, or verified by their own rank in a run of one, count. `proverun verify RUN.h5` checks their proofs;
this adds up what they say: the class of each image, and the label that stood beside it in the file (labels are read, not
proven)."""
import sys

import h5py

PROVEN = "self_verified", "approved", "merged"


def outcomes(jobs):
    names = {v: k for k, v in h5py.check_enum_dtype(jobs.dtype["outcome"]).items()}
    return {row["id"]: names[row["outcome"]] for row in jobs if row["type"] == b"mlp_inference"}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with h5py.File(sys.argv[1], "r") as f:
        good = {job for job, outcome in outcomes(f["jobs"]).items() if outcome in PROVEN}
        values = {}
        for row in f["outputs"]:
            values.setdefault(row["id"], {})[row["name"].decode()] = row["value"].decode()
    jobs = [values[job] for job in sorted(good)]
    images = sum(int(job["count"]) for job in jobs)
    hits = sum(a == b for job in jobs for a, b in zip(job["classes"], job["labels"]))
    if hits != sum(int(job["correct"]) for job in jobs):
        sys.exit("the jobs' own counts of hits are wrong")
    if images == 0:
        sys.exit("no proven job of type mlp_inference")
    for model in sorted({job["model"] for job in jobs}):
        print(f"model {model}")
    print(f"{hits} of {images} images: {hits / images:.4f}")


if __name__ == "__main__":
    main()
