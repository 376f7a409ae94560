#!/usr/bin/env python3
"""What a whole run does about a tiny job besides proving it.

    tiny_jobs.py PROVERUN [RANKS [JOBS [LOG_ROWS [COLUMNS [COMMITTEE [RUNS]]]]]]

Prints a JSON object for each run: jobs a second; microseconds of processor time a job of each kind of thread, over all
ranks (as the kernel counts, looked at every 20 ms: rank 0's and other supervisors' main threads, their threads that verify,
write votes and the journal, and prover children); of the wall time between a rank's first job and its last the share in
which its child was neither running nor waiting for a processor, so had nothing to do (blocked_percent), the median gap
between two jobs by started_ns and finished_ns of the rows, which has the sending of the answer in it, and the median of what an
attempt takes besides proving and verifying: inputs, statement, encoding."""
import collections, glob, json, os, statistics, subprocess, sys, tempfile, time

program = os.path.abspath(sys.argv[1])
ranks, jobs, log_rows, columns, committee, runs = (int(v) for v in (sys.argv[2:] + ["1", "3000", "6", "30", "0", "3"][len(sys.argv) - 2:]))
os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
                  OMPI_MCA_hwloc_base_binding_policy="none")


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def below(pid):
    """The processes under pid."""
    found = [pid]
    for p in found:
        for children in glob.glob(f"/proc/{p}/task/*/children"):
            found += [int(c) for c in read(children).split()]
    return found


def look(pid, ns, looks):
    for p in below(pid):
        arguments = read(f"/proc/{p}/cmdline").split("\0")
        if "child" in arguments:
            process = "children"
        elif arguments[0] == program:
            rank = next((v.split("=")[1] for v in read(f"/proc/{p}/environ").split("\0") if v.startswith("OMPI_COMM_WORLD_RANK=")), "0")
            process = "rank 0" if rank == "0" else "other ranks"
        else:
            continue
        for task in glob.glob(f"/proc/{p}/task/*"):
            tid, name = int(task.split("/")[-1]), read(task + "/comm").strip()
            kind = process if process == "children" else f"{process}: {'main' if tid == p else name}"
            spent = read(task + "/schedstat").split()
            if spent:
                ns[tid] = (kind, int(spent[0]))
            if spent and process == "children" and tid == p:
                looks[tid].append((time.time_ns(), int(spent[0]) + int(spent[1])))


def column(results, name, kind):
    table = subprocess.run([program, "show", results, "--table", "jobs"], check=True, capture_output=True, text=True).stdout
    return [kind(line.split()[1]) for line in table.splitlines() if line.startswith(name + " ")]


def blocked(looks, first, last):
    """Over all children, between the first job and the last."""
    wall = busy = 0
    for each in looks.values():
        within = [l for l in each if first <= l[0] <= last]
        if len(within) > 1 and within[-1][1] - within[0][1] > 0.1 * (within[-1][0] - within[0][0]):
            wall += within[-1][0] - within[0][0]
            busy += within[-1][1] - within[0][1]
    return 1 - busy / wall if wall else 0


def gaps(results):
    """Microseconds between two jobs of a rank, and when the first began and the last ended."""
    of = collections.defaultdict(list)
    for rank, start, end in zip(*(column(results, n, int) for n in ("prover_rank", "started_ns", "finished_ns"))):
        of[rank].append((start, end))
    found = []
    for rows in of.values():
        rows.sort()
        found += [max(0, b[0] - a[1]) / 1e3 for a, b in zip(rows, rows[1:])]
    return found, min(r[0][0] for r in of.values()), max(r[-1][1] for r in of.values())


def besides(results):
    """The median, over jobs, of what its attempt takes but proving and verifying: microseconds."""
    values = zip(*(column(results, n, float) for n in ("started_ns", "finished_ns", "prove_ms", "self_verify_ms")))
    return statistics.median((end - start) / 1e3 - 1e3 * (prove + verify) for start, end, prove, verify in values)


def run():
    ns, looks = {}, collections.defaultdict(list)
    with open("out", "w") as out, open("err", "w") as err:
        done = subprocess.Popen(["mpirun", "-n", str(ranks), program, "run", "m.yaml", "--config", "config.yaml", "--threads", "1"],
                                stdout=out, stderr=err)
    while done.poll() is None:
        look(done.pid, ns, looks)
        time.sleep(0.02)
    out, err = read("out"), read("err")
    assert done.returncode == 0, err
    between, first, last = gaps(out.splitlines()[-1])
    total = collections.Counter()
    for kind, spent in ns.values():
        total[kind] += spent
    rate = next(float(line.split()[-2]) if line.split()[-1] == "jobs/s" else 0 for line in err.splitlines() if "complete:" in line)
    return {"ranks": ranks, "jobs": jobs, "log_rows": log_rows, "columns": columns, "committee": committee, "jobs_per_s": rate,
            "blocked_percent": round(100 * blocked(looks, first, last), 1), "gap_median_us": round(statistics.median(between)),
            "besides_us": round(besides(out.splitlines()[-1])), "cpu_us_per_job": {k: round(v / 1e3 / jobs) for k, v in sorted(total.items())},
            "rank_0": next((line for line in err.splitlines() if "rank 0:" in line), "")}


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("m.yaml", "w") as f:
        f.write("version: 1\nname: m\ndefaults: { profile: fast }\njobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: %d, columns: %d, seed: [%s] } }]\n"
                % (log_rows, columns, ", ".join(str(i) for i in range(jobs))))
    with open("config.yaml", "w") as f:
        f.write(f"version: 1\nconsensus: {{ committee: {committee} }}\n")
    for _ in range(runs):
        print(json.dumps(run()), flush=True)
