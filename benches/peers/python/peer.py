#!/usr/bin/env python3
"""A tool with a Python package as a peer of the comparison: peer.py NAME FORMAT SHAPE INPUT.

Reads lines: `load` prepares everything, `write FILE` does the job and writes its rows, `run` does it once and says how
long it took. Each is answered by a line of JSON. Nothing is imported before the first line: threads that a package starts
are to be counted too.
"""

import importlib
import json
import os
import sys
import time


def peak_bytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def timed(job):
    """Runs a job; it may say itself what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    taken = job.run("/dev/null")
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return taken or {"cpu_s": cpu, "wall_s": wall, "peak_bytes": peak_bytes()}


def main():
    # What a tool prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, fmt, shape, source = sys.argv[1:5]
    job = None
    for line in sys.stdin:
        request, _, target = line.strip().partition(" ")
        try:
            if request == "load":
                module = importlib.import_module("by_" + name)
                if shape == "other":
                    raise module.Cannot("cannot: it is written for the names of the task")
                job = module.Job(fmt, shape, os.path.abspath(source))
                answer = {"version": job.version, "output": job.output, "held_bytes": 0}
            elif request == "write":
                job.run(os.path.abspath(target))
                answer = {}
            else:
                answer = timed(job)
        except Exception as error:
            answer = {"cannot": " ".join(str(error).split())[:300]}
        print(json.dumps(answer), file=answers, flush=True)


main()
