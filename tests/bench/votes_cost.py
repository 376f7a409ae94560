#!/usr/bin/env python3
"""What voting costs a run: the same manifest with and without a committee, in turn.

    votes_cost.py PROVERUN [RANKS [JOBS [LOG_ROWS [COLUMNS [ROUNDS]]]]]

Prints a JSON object for each run, then one for all: for each kind the delay of a job from the end of its proof to its place
in rank 0's journal (median and 95th percentile, ms; all ranks on this machine, so one clock), processor time of all
processes a job (ms), jobs a second, time of a proof (median, ms), mean delay beside that of the metric (from a proof's arrival
at rank 0 to the decision, so a little less); and what the votes cost, in processor time a job and in
percent of the throughput, by either measure. Processor time counts other programs least."""
import json, os, resource, statistics, subprocess, sys, tempfile

program = os.path.abspath(sys.argv[1])
ranks, jobs, log_rows, columns, rounds = (int(v) for v in (sys.argv[2:] + ["4", "40", "12", "60", "4"][len(sys.argv) - 2:]))
os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
                  OMPI_MCA_hwloc_base_binding_policy="none")


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def output(*args):
    return subprocess.run([program, *args], check=True, capture_output=True, text=True).stdout


def column(results, name, kind):
    return [kind(line.split()[1]) for line in output("show", results, "--table", "jobs").splitlines() if line.startswith(name + " ")]


def finalization_ms(results):
    """The mean of what rank 0's textfile has of it, over all outcomes."""
    with open(results[:-3] + ".prom") as f:
        lines = [line.split() for line in f if line.startswith("proverun_consensus_finalization_duration_seconds_")]
    total = {part: sum(float(value) for name, value in lines if f"_{part}{{" in name) for part in ("sum", "count")}
    assert total["count"] == jobs, total
    return 1e3 * total["sum"] / jobs


def run(committee):
    with open("config.yaml", "w") as f:
        f.write(f"version: 1\nconsensus: {{ committee: {committee} }}\n")
    before = cpu_seconds()
    done = subprocess.run(["mpirun", "-n", str(ranks), program, "run", "m.yaml", "--config", "config.yaml", "--threads", "1"],
                          check=True, capture_output=True, text=True)
    cpu = cpu_seconds() - before
    results = done.stdout.splitlines()[-1]
    ids = column(results, "id", str)
    ended = dict(zip(ids, column(results, "finished_ns", int)))
    began = min(column(results, "started_ns", int))
    frames = [json.loads(line) for line in output("journal", "show", results[:-3] + ".journal", "--json").splitlines()]
    kept = {f["job"]: f["time_ns"] for f in frames if f.get("type") == "record"}
    delays = sorted((kept[i] - ended[i]) / 1e6 for i in ids)
    outcomes = set(column(results, "outcome", str))
    assert len(delays) == jobs and outcomes == {"approved" if committee else "unvoted"}, outcomes
    return {"committee": committee, "delays_ms": delays, "cpu_ms_per_job": 1e3 * cpu / jobs,
            "finalization_mean_ms": finalization_ms(results),
            "jobs_per_s": jobs / ((max(kept.values()) - began) / 1e9),
            "prove_ms": statistics.median(column(results, "prove_ms", float))}


def summary(runs):
    delays = sorted(d for r in runs for d in r["delays_ms"])
    return {"committee": runs[0]["committee"], "runs": len(runs), "delay_median_ms": round(statistics.median(delays), 2),
            "delay_p95_ms": round(delays[int(0.95 * (len(delays) - 1))], 2),
            "delay_mean_ms": round(statistics.mean(delays), 2),
            **{k: round(statistics.median(r[k] for r in runs), 2)
               for k in ("finalization_mean_ms", "cpu_ms_per_job", "jobs_per_s", "prove_ms")}}


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("m.yaml", "w") as f:
        f.write("version: 1\nname: m\njobs: [{ id: fib, type: wide_fibonacci, params: { log_rows: %d, columns: %d, seed: [%s] } }]\n"
                % (log_rows, columns, ", ".join(str(i) for i in range(jobs))))
    all_runs = {0: [], 4: []}
    for i in range(2 * rounds):
        committee = (0, 4, 4, 0)[i % 4]
        all_runs[committee].append(run(committee))
        print(json.dumps(summary(all_runs[committee][-1:])), flush=True)
    without, voted = (summary(r) for r in all_runs.values())
    print(json.dumps({"all": [without, voted], "votes_cpu_ms_per_job": round(voted["cpu_ms_per_job"] - without["cpu_ms_per_job"], 2),
                      "loss_percent_by_cpu": round(100 * (1 - without["cpu_ms_per_job"] / voted["cpu_ms_per_job"]), 2),
                      "loss_percent_by_jobs_per_s": round(100 * (1 - voted["jobs_per_s"] / without["jobs_per_s"]), 2),
                      "load": os.getloadavg()}))
