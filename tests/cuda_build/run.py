#!/usr/bin/python3
"""Builds the preset cuda, and asks that it computes what the preset release does.

Usage: run.py [--torch DIR] [--seed N] [--jobs N]

Needs the LibTorch that setup/fetch_cuda_torch fetches, and no GPU: everything here runs on the
processor. Builds worker, science and what the end-to-end test needs; compares each golden number of
the science between the two builds to a relative 1e-6; then has the programs of the build train a
sweep and a worker killed in it (end_to_end_kill_test, one seed). Exits with 77 where there is no such
LibTorch.
"""

import argparse
import collections
import math
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-6
GOLDENS = "integrator_science_version_test"
END_TO_END = "end_to_end_kill_test"


def run(command, **environment):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "GRIDSWEEP_DEVICE": "cpu", **environment})
    if done.returncode != 0:
        sys.exit(f"{done.stdout[-6000:]}\n{' '.join(map(str, command))} failed ({done.returncode})")


def build(preset, jobs, targets, *options):
    run(["cmake", "--preset", preset, *options])
    run(["cmake", "--build", "--preset", preset, *(["-j", jobs] if jobs else []), "--target", *targets])


def golden_numbers(preset, folder):
    """[(subject, number)] in the order in which they are computed."""
    path = pathlib.Path(folder) / preset
    run([ROOT / "build" / preset / "bin" / GOLDENS], GRIDSWEEP_SCIENCE_NUMBERS=str(path))
    return [(subject, float(number)) for subject, number in map(str.split, path.read_text().splitlines())]


def difference(a, b):
    if math.isnan(a) or math.isnan(b):
        return 0 if math.isnan(a) and math.isnan(b) else math.inf
    return 0 if a == b else abs(a - b) / max(abs(a), abs(b))


def compare(ours, theirs):
    """Prints a line a subject; whether all numbers agree."""
    if not ours or [subject for subject, _ in ours] != [subject for subject, _ in theirs]:
        sys.exit(f"the builds computed other numbers: {len(ours)} and {len(theirs)} of them")
    largest = collections.defaultdict(lambda: (-1, None, None))
    for (subject, a), (_, b) in zip(ours, theirs):
        largest[subject] = max(largest[subject], (difference(a, b), a, b))
    counts = collections.Counter(subject for subject, _ in ours)
    for subject, (worst, a, b) in largest.items():
        print(f"{subject:10} {counts[subject]:6} numbers, largest relative difference {worst:.2g}"
              + (f" ({a!r}, {b!r})" if worst > TOLERANCE else ""))
    return max(worst for worst, _, _ in largest.values()) <= TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", type=pathlib.Path, default=ROOT / "build/cuda-torch/torch")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", default="")
    options = parser.parse_args()
    if not (options.torch / "lib/libtorch_cuda.so").exists():
        print(f"no LibTorch with CUDA in {options.torch}; setup/fetch_cuda_torch fetches it")
        sys.exit(77)
    build("release", options.jobs, [GOLDENS])
    build("cuda", options.jobs, ["programs", GOLDENS, END_TO_END],
          f"-DGRIDSWEEP_TORCH_DIR={options.torch.resolve()}")
    with tempfile.TemporaryDirectory() as folder:
        agree = compare(golden_numbers("release", folder), golden_numbers("cuda", folder))
    run([ROOT / "build/cuda/bin" / END_TO_END], GRIDSWEEP_KILL_SEEDS=options.seed)
    print(f"{END_TO_END}: seed {options.seed} passed")
    sys.exit(0 if agree else f"the builds differ by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
