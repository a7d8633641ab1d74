#!/usr/bin/env python3
"""Runs Samovar and its peers in turn on the same bars, and prints medians and ratios.

    run.py BARS.parquet SAMOVAR --python PYTHON --qlib-store FOLDER [--tasks classic-talib,…] [--rounds 5] [--threads N] [--out FILE]

SAMOVAR is the built bench (see `benches/README.md`), PYTHON an interpreter that has the peers. In every round each task runs each side
once, in a process of its own, the side that begins changing from round to round; what a side says it measured counts, not the time its
process took. Both sides of a task warm up first and measure equally often, and of several measurements the fastest counts on both.
Ratios are formed within a round; their median is printed with the smallest and the largest.

Qlib's backend is chosen before the first round, for each of its tasks: every one is tried once and the fastest stays, unless one is named.

tasks: classic-talib (one core each), classic-polars, alpha158, alpha14 (all threads each)
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TASKS = ["classic-talib", "classic-polars", "alpha158", "alpha14"]
BACKENDS = ["multiprocessing", "loky", "threading"]


def run(command):
    """The JSON on the last line of what a side prints."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def qlib(task, options, backend):
    command = [options.python, "-W", "ignore", HERE / "qlib_peer.py", options.bars, options.qlib_store, task]
    return command + ["--kernels", options.threads, "--backend", backend, "--repetitions", 1]


def fastest_backend(task, options):
    if options.qlib_backend != "fastest":
        return options.qlib_backend
    seconds = {backend: min(run(qlib(task, options, backend))["seconds"]) for backend in BACKENDS}
    print(f"trial: {task} qlib " + ", ".join(f"{backend} {time:.2f} s" for backend, time in seconds.items()), file=sys.stderr)
    return min(seconds, key=seconds.get)


def sides(task, options, backends):
    """Both commands of a task: Samovar's and the peer's."""
    threads = 1 if task == "classic-talib" else options.threads
    sets = {"alpha14": HERE / "qlib14.toml", "alpha158": "alpha158"}
    repetitions = options.repetitions if task.startswith("classic") else 1
    samovar = [options.samovar, options.bars, sets.get(task, "classic"), "--threads", threads, "--repetitions", repetitions]
    if task.startswith("classic"):
        peer = [options.python, HERE / "classic_peer.py", options.bars, task.split("-")[1], "--repetitions", repetitions]
    else:
        peer = qlib(task, options, backends[task])
    return {"samovar": samovar, "peer": peer}


def spread(values, form):
    return f"{form(statistics.median(values))} ({form(min(values))} … {form(max(values))})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bars", type=Path)
    parser.add_argument("samovar", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--qlib-store", type=Path, help="a Qlib data folder of these bars; made where there is none")
    parser.add_argument("--qlib-backend", default="fastest", choices=["fastest", *BACKENDS])
    parser.add_argument("--tasks", type=lambda text: text.split(","), default=TASKS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=3, help="within a process, for classic; alpha tasks measure once")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, help="every single measurement, as JSON")
    options = parser.parse_args()
    for task in options.tasks:
        if task not in TASKS:
            parser.error(f"{task} is no task: {', '.join(TASKS)}")
        if task.startswith("alpha") and options.qlib_store is None:
            parser.error(f"{task} needs --qlib-store")

    backends = {task: fastest_backend(task, options) for task in options.tasks if task.startswith("alpha")}
    measured = {task: {"samovar": [], "peer": []} for task in options.tasks}
    for number in range(options.rounds):
        for task in options.tasks:
            commands = sides(task, options, backends)
            for side in sorted(commands, reverse=number % 2 == 0):
                result = run(commands[side])
                measured[task][side].append(result)
                print(f"round {number + 1}: {task} {side} {min(result['seconds']):.4f} s", file=sys.stderr)
            ours, theirs = (measured[task][side][-1] for side in ("samovar", "peer"))
            for key in ("rows", "symbols", "columns"):
                if ours[key] != theirs[key]:
                    sys.exit(f"{task}: {ours[key]} {key} on one side, {theirs[key]} on the other")

    print(f"{platform.machine()}, {os.cpu_count()} cores; median of {options.rounds} rounds (smallest … largest)")
    for task, results in measured.items():
        ours, theirs = ([min(result["seconds"]) for result in results[side]] for side in ("samovar", "peer"))
        one, other = results["samovar"][0], results["peer"][0]
        versions = ", ".join(f"{name} {version}" for name, version in other["versions"].items())
        print(f"\n{task}: {one['symbols']} symbols, {one['rows']} bars, {one['columns']} columns")
        print(f"  samovar, {one['threads']} thread(s): {spread(ours, '{:.4f} s'.format)}")
        settings = other.get("settings", {})
        how = ", ".join(str(part) for part in (versions, settings.get("way"), settings.get("backend")) if part)
        print(f"  {other['side']}, {other['threads']} thread(s): {spread(theirs, '{:.4f} s'.format)}, {how}")
        print(f"  Samovar is {spread([b / a for a, b in zip(ours, theirs)], '{:.1f} ×'.format)} as fast")
    if options.out:
        options.out.write_text(json.dumps(measured, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
