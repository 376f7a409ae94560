"""A results file read with plain h5py while its run goes on: live_read.py LIVE_WRITER

As documented in docs/results.md: open, read, close, and try again when the file is being written. Every state that is
seen is a whole one, and later ones have more. Exit code 77: no h5py here."""
import os
import subprocess
import sys
import tempfile
import time

try:
    import h5py
except ImportError:
    sys.exit(77)


def look(path):
    with h5py.File(path, "r") as f:
        jobs, index, data = f["jobs"][:], f["proofs/index"][:], f["proofs/data"]
        names = {v: k for k, v in h5py.check_enum_dtype(f["jobs"].dtype["outcome"]).items()}
        approved = [j["id"] for j in jobs if names[j["outcome"]] == "approved"]
        assert len(approved) == len(index) and len(jobs) == len(set(jobs["id"])), (len(approved), len(index))
        assert all(j["id"] == b"job-%d" % k for k, j in enumerate(jobs))
        assert approved == list(index["id"])
        end = 0
        for row in index:
            assert row["offset"] == end
            end += int(row["length"])
        assert end == len(data)
        if len(index):
            assert data[int(index[-1]["offset"]) : int(end)].any()
        assert f.attrs["file_update_time"] >= f.attrs["file_time"]
        return len(jobs)


folder = tempfile.mkdtemp()
path = os.path.join(folder, "live.h5")
writer = subprocess.Popen([sys.argv[1], path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
assert writer.stdout.readline() == b"begun\n"
seen, refused = [], 0
deadline = time.time() + 240
while len(set(seen)) < 15 and time.time() < deadline:
    try:
        seen.append(look(path))
    except OSError:  # it is being written
        refused += 1
    time.sleep(0.01)
writer.stdin.close()
assert writer.wait() == 0
last = look(path)
print(f"{len(seen)} reads, {refused} refused, {len(set(seen))} states, {last} jobs at the end")
assert len(set(seen)) >= 15, seen
assert seen == sorted(seen) and last >= seen[-1]
for name in os.listdir(folder):
    os.unlink(os.path.join(folder, name))
os.rmdir(folder)
