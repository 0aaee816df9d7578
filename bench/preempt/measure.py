#!/usr/bin/env python3
"""How long a worker takes from SIGTERM to its exit, and what its runs lose by it.

Starts an instance of its own, gives a worker of two slots runs of Ng 1024 (Np 512, batch 200,
20 steps a walk), sends it SIGTERM at moments drawn from a seed, starts it again under its name,
and reads in its log where each run stopped and from which step it goes on:

    bench/preempt/measure.py --build build/release --training 20 --scoring 12
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

SWEEP = """name: {name}
method: grid
parameters:
  place_field_values: {{value: difference_of_gaussians}}
  Ng: {{value: 1024}}
  Np: {{value: 512}}
  batch_size: {{value: 200}}
  sequence_length: {{value: 20}}
  n_epochs: {{value: 1}}
  n_grad_steps_per_epoch: {{value: {steps}}}
  seed: {{values: [0, 1]}}
"""
SLOTS = 2


class Instance:
    def __init__(self, build, directory):
        self.bin = build / "bin"
        self.directory = directory
        up = self.run("local", "up", "--data", str(directory / "data"))
        self.address = re.search(r"^address\s+(\S+)", up, re.M).group(1)
        self.run("workers", "drain", "local")
        self.log = directory / "worker.log"

    def run(self, *words):
        environment = dict(os.environ, HOME=str(self.directory))
        return subprocess.run([self.bin / "sweepctl", *words], check=True, env=environment,
                              stdout=subprocess.PIPE, text=True).stdout

    def submit(self, name, steps):
        path = self.directory / f"{name}.yaml"
        path.write_text(SWEEP.format(name=name, steps=steps))
        return self.run("submit", str(path), "-o", "name").strip()

    def start_worker(self):
        """The worker and the length of its log before it."""
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("a") as log:
            worker = subprocess.Popen(
                [self.bin / "gridsweep-worker", "--coordinator", self.address, "--name",
                 "preempted", "--slots", str(SLOTS), "--spool", self.directory / "spool"],
                stdout=log, stderr=log)
        return worker, before

    def said(self, since):
        with self.log.open() as log:
            log.seek(since)
            return log.read()

    def wait_for(self, pattern, times, since):
        while len(found := re.findall(pattern, self.said(since))) < times:
            time.sleep(0.05)
        return found

    def down(self):
        self.run("local", "down", "--data", str(self.directory / "data"))


def preempt(instance, after):
    """One start, `after` seconds of work, SIGTERM: seconds to the exit, steps lost by each run.

    None where a run ended before the signal."""
    worker, since = instance.start_worker()
    instance.wait_for(r"run (\d+) attempt \d+ starts", SLOTS, since)
    time.sleep(after)
    start = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    code = worker.wait()
    seconds = time.monotonic() - start
    if code != 0:
        raise SystemExit(f"the worker ended with {code}: see {instance.log}")
    said = instance.said(since)
    stopped = dict(re.findall(r"run (\d+) given back at step (\d+)", said))
    if len(stopped) != SLOTS:
        return None  # one had ended before
    # From the latest checkpoint, this attempt's or the one that it went on from.
    saved = dict(re.findall(r"run (\d+) goes on from the checkpoint of step (\d+)", said))
    saved.update(re.findall(r"run (\d+): checkpoint of step (\d+)", said))
    return seconds, [int(step) - int(saved.get(run, 0)) for run, step in stopped.items()]


def quantile(values, q):
    """The smallest value that a share q of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(q * 1000) * len(ordered) // 1000) - 1))]


def report(what, exits, lost):
    print(f"{what}: {len(exits)} SIGTERMs, to the exit p50 {quantile(exits, .5):.2f} s, "
          f"p99 {quantile(exits, .99):.2f} s, max {max(exits):.2f} s; "
          f"steps lost, of {len(lost)} runs: max {max(lost)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--training", type=int, default=20, help="SIGTERMs in training")
    parser.add_argument("--scoring", type=int, default=12, help="in evaluation and scoring")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=pathlib.Path, help="where to leave the worker's log")
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="gridsweep-preempt-") as directory:
        instance = Instance(arguments.build.resolve(), pathlib.Path(directory))
        try:
            sweep = instance.submit("training", 100_000)
            training = [preempt(instance, draw.uniform(0, 10)) for _ in range(arguments.training)]
            instance.run("cancel", sweep, "--yes")
            if training:
                report("in training", [s for s, _ in training],
                       [n for _, l in training for n in l])

            if arguments.scoring == 0:
                return
            # How long evaluation and scoring take when nothing interrupts them.
            instance.submit("whole", 1)
            worker, since = instance.start_worker()
            whole = instance.wait_for(r"succeeded: \d+ steps in ([\d.]+) s", SLOTS, since)
            worker.send_signal(signal.SIGTERM)
            worker.wait()
            length = min(map(float, whole))
            print(f"one step, evaluation and scoring take {length:.1f} s", flush=True)
            scoring = []
            sweep = None
            while len(scoring) < arguments.scoring:
                sweep = sweep or instance.submit("scoring", 2)
                measured = preempt(instance, draw.uniform(0, 0.9 * length))
                if measured:
                    scoring.append(measured)
                else:
                    instance.run("cancel", sweep, "--yes")
                    sweep = None
            report("in evaluation and scoring", [s for s, _ in scoring],
                   [n for _, l in scoring for n in l])
            report("all", [s for s, _ in training + scoring],
                   [n for _, l in training + scoring for n in l])
        finally:
            instance.down()
            if arguments.log:
                shutil.copy(instance.log, arguments.log)


if __name__ == "__main__":
    main()
