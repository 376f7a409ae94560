#!/usr/bin/env python3
"""Draws committees from the description in src/consensus/committee.h, for comparison with the program's own.

    committee.py CASES.txt      exit 0 when every line's committee is the one drawn here
A line: run seed (hex) | job id | prover | size | stakes a,b,c | excluded x,y or - | committee m,n or -
"""
import hashlib
import sys


def digest(domain, data):
    name = domain.encode()
    return hashlib.blake2s(len(name).to_bytes(8, "little") + name + data).digest()


def job_name(job_id):
    raw = job_id.encode()
    return digest("proverun job 1", len(raw).to_bytes(8, "little") + raw)


def committee(run_seed, job, prover, size, stakes, excluded):
    seed = digest("proverun committee 1", run_seed + job)
    left = list(range(len(stakes)))
    members, i = [], 0
    while len(members) < size and left:
        total = sum(stakes[v] for v in left)
        while True:
            block = digest("proverun committee draw 1", seed + i.to_bytes(8, "little"))
            x = int.from_bytes(block[:8], "little")
            i += 1
            if x < 2**64 - 2**64 % total:
                break
        point, at = x % total, 0
        for v in left:
            at += stakes[v]
            if at > point:
                break
        left.remove(v)
        if v != prover and v not in excluded:
            members.append(v)
    return members


def numbers(text):
    return [] if text == "-" else [int(part) for part in text.split(",")]


def main():
    wrong = lines = 0
    for line in open(sys.argv[1], encoding="utf-8"):
        if line.startswith("#"):
            continue
        seed, job, prover, size, stakes, excluded, members = [part.strip() for part in line.split("|")]
        mine = committee(bytes.fromhex(seed), job_name(job), int(prover), int(size), numbers(stakes), numbers(excluded))
        lines += 1
        if mine != numbers(members):
            print(f"line {lines}: {job}: {members}, but here {mine}")
            wrong += 1
    print(f"{lines} committees, {wrong} wrong")
    return 0 if lines > 0 and wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
