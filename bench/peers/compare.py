#!/usr/bin/python3
"""Our training step beside PyTorch's, on one thread each, in the same run.

Usage: compare.py [--bench PATH] [--seconds S] [--rounds N] [--python PYTHON]...

The peer is torch_step.py: grid-pattern-formation's network as published (forward pass twice a step)
and a fair variant of it (once, log-softmax). Each round times all of them, one after the other; ratios
are of the medians over rounds. Times are of the processor, so that other programs matter little.
Needs Debian's python3-torch (the same LibTorch and BLAS as ours); --python names interpreters with
other builds of torch, which are reported beside it.
"""

import argparse
import json
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = pathlib.Path(__file__).with_name("torch_step.py")
# Ng, Np, batch_size
LARGE, SMALL = (512, 512, 200), (128, 256, 100)


def ours(bench, seconds):
    """{(Ng, Np, B): ms a step} and the line that names libraries and matrix rate."""
    lines = subprocess.run([bench, str(seconds)], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    times = {}
    for line in lines:
        fields = line.split()
        if fields[:1] == ["RNN"]:
            times[tuple(int(f) for f in fields[1:4])] = float(fields[4])
    return times, lines[0]


def peer(python, size, variant, seconds):
    output = subprocess.run([python, PEER, *map(str, size), variant, str(seconds)], check=True,
                            capture_output=True, text=True).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default=ROOT / "build/release/bin/bench_training")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", action="append", default=[])
    options = parser.parse_args()
    pythons = ["/usr/bin/python3", *options.python]

    mine, theirs = {}, {}
    for _ in range(options.rounds):
        times, machine = ours(options.bench, options.seconds)
        for size in (LARGE, SMALL):
            mine.setdefault(size, []).append(times[size])
            for python in pythons:
                for variant in ("published", "fair"):
                    got = peer(python, size, variant, options.seconds)
                    theirs.setdefault((size, got["torch"], variant), []).append(got["ms"])
    print(machine)
    print(f"\n{'Ng':>5} {'Np':>5} {'B':>4}  {'peer':32} {'peer ms':>8} {'ours ms':>8} {'ratio':>6}")
    for (size, torch, variant), times in theirs.items():
        peer_ms, our_ms = statistics.median(times), statistics.median(mine[size])
        print(f"{size[0]:5} {size[1]:5} {size[2]:4}  {'torch ' + torch + ', ' + variant:32} "
              f"{peer_ms:8.2f} {our_ms:8.2f} {our_ms / peer_ms:6.2f}")


if __name__ == "__main__":
    main()
