#!/usr/bin/env python3
"""Breaks src/consensus in known ways, one at a time, and asks who notices.

    mutants.py --cc CC --source ROOT --hash LIB --base LIB [--seeds N] [--only NAME,NAME] [--simulator | --all]

Each entry of mutants.txt is a name and a file of src/consensus, then what is replaced (- lines) by what (+ lines); the
text must occur once, white space apart. The copy is built, and the simulator and the tests beside this file are run on
it. A mutant that nothing notices, and an entry that does not fit the source any more, fail. --all asks every program
about every mutant instead of stopping at the first that notices, --simulator the simulator alone.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TESTS = ["traps", "rules", "record", "flow", "restore", "certificate", "committee", "codec"]
SIMULATOR = ["sim", "sim_check", "sim_choose", "sim_events", "sim_jobs", "sim_liar", "sim_world"]
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-w"]


def read_mutants(path):
    mutants, current = [], None
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line[0] == "-":
            current["old"] += line[1:] + " "
        elif line[0] == "+":
            current["new"] += line[1:] + "\n"
        else:
            name, file = line.split()
            current = {"name": name, "file": file, "old": "", "new": ""}
            mutants.append(current)
    return mutants


def mutate(mutant, folder):
    """Changes the copy in folder; the text that is replaced must be there once."""
    path = folder / "consensus" / mutant["file"]
    text = path.read_text()
    pattern = r"\s+".join(re.escape(word) for word in mutant["old"].split())
    found = re.findall(pattern, text)
    if len(found) != 1:
        raise ValueError(f"{mutant['file']} has the text {len(found)} times: mutants.txt needs an update")
    path.write_text(re.sub(pattern, lambda _: mutant["new"], text))


class Build:
    def __init__(self, args, scratch):
        self.args, self.scratch = args, scratch
        self.source = args.source / "src"
        self.names = sorted(p.stem for p in (self.source / "consensus").glob("*.c"))
        self.tests = [] if args.simulator else TESTS
        self.base = scratch / "base"
        self.base.mkdir()
        self.compile_all(self.source, self.base, [])

    def compile_all(self, source, out, include):
        programs = SIMULATOR + (["net"] if self.tests else []) + [f"{t}_test" for t in self.tests]
        files = [source / "consensus" / f"{n}.c" for n in self.names] + [HERE / f"{n}.c" for n in programs]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda file: self.compile(file, out, include), files))

    def compile(self, file, out, include):
        paths = [f"-I{p}" for p in include + [self.source, HERE]]
        subprocess.run([*self.args.cc.split(), *FLAGS, *paths, "-c", str(file), "-o", str(out / f"{file.stem}.o")],
                       check=True, capture_output=True)

    def link(self, folder, program, names):
        objects = [str(self.object(folder, n)) for n in names + self.names]
        subprocess.run([*self.args.cc.split(), *objects, str(self.args.hash), str(self.args.base), "-lcmocka", "-o",
                        str(folder / program)], check=True, capture_output=True)
        return folder / program

    def object(self, folder, name):
        own = folder / f"{name}.o"
        return own if own.exists() else self.base / f"{name}.o"

    def make(self, mutant):
        folder = self.scratch / mutant["name"]
        shutil.copytree(self.source / "consensus", folder / "consensus")
        mutate(mutant, folder)
        if mutant["file"].endswith(".c"):
            self.compile(folder / "consensus" / mutant["file"], folder, [folder])
        else:  # what is inline in a header is everywhere
            self.compile_all(folder, folder, [folder])
        return folder


def limit_time():
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


def fails(command):
    """What the program found, or None when it found nothing. Who never ends has noticed as well."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", preexec_fn=limit_time)
    if done.returncode == 0:
        return None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "does not end"
    told = re.search(r"FAILED: (.*)", done.stdout) or re.search(r"(\w+\.c:\d+): error: Failure!", done.stderr)
    return told.group(1) if told else f"ends with {done.returncode}"


def examine(build, mutant):
    """Who notices: a list of (program, what it says)."""
    seeds, ask_all = build.args.seeds, build.args.all
    folder = build.make(mutant)
    noticed = []
    said = fails([str(build.link(folder, "sim", SIMULATOR)), "--seeds", str(seeds)])
    if said:
        noticed.append(("sim", said))
    for test in build.tests:
        if noticed and not ask_all:
            break
        said = fails([str(build.link(folder, test, [f"{test}_test", "net"]))])
        if said:
            noticed.append((test, said))
    shutil.rmtree(folder)
    return noticed


def main():
    parser = argparse.ArgumentParser()
    for name in ["--source", "--hash", "--base"]:
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--only", default="")
    parser.add_argument("--simulator", action="store_true")
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    mutants = read_mutants(HERE / "mutants.txt")
    only = set(filter(None, args.only.split(",")))
    if only - {m["name"] for m in mutants}:
        sys.exit(f"mutants.txt has no {', '.join(only - {m['name'] for m in mutants})}")
    mutants = [m for m in mutants if not only or m["name"] in only]
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        build = Build(args, pathlib.Path(scratch))
        if examine(build, {"name": "none", "file": "view.c", "old": "consensus/view.h", "new": "consensus/view.h"}):
            sys.exit("the tests fail on the source as it is")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = [pool.submit(examine, build, m) for m in mutants]
            for mutant, answer in zip(mutants, answers):
                try:
                    noticed = answer.result()
                except (ValueError, subprocess.CalledProcessError) as error:
                    said = error.stderr.decode() if hasattr(error, "stderr") else ""
                    print(f"{mutant['name']}: {error} {said}")
                    failed += 1
                    continue
                failed += not noticed
                print(f"{mutant['name']:34}", "; ".join(f"{p}: {s}" for p, s in noticed) or "NOBODY NOTICES", flush=True)
    print(f"{len(mutants)} mutants, {failed} not noticed or not built")
    sys.exit(failed > 0)


main()
