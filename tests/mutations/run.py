#!/usr/bin/python3
"""Plants one wrong sign, factor or index at a time, and asks that a test goes red.

Usage: run.py [--source DIR] [--build DIR] [NAME...]

Copies the sources to BUILD, builds them there (in the place that the build has in the sources, so that
ccache knows what is not changed), and for each mutation of mutations.py: applies it, builds the one test that should see it, runs that test, and
takes the mutation back. A mutation that no longer applies, does not compile, or leaves its test green
is a failure. First each test must be green without any.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import time

from mutations import MUTATIONS


def quiet(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def copy_sources(source, to):
    """Changed files alone are written, so that their neighbours are not built again."""
    names = subprocess.run(["git", "-C", source, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        old, new = source / name, to / name
        if not old.is_file():
            continue
        if new.is_file() and new.read_bytes() == old.read_bytes():
            continue
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(old, new)


class Tree:
    def __init__(self, source, build):
        self.source, self.build = build, build / "build/release"
        copy_sources(source, self.source)
        if not (self.build / "build.ninja").exists():
            done = quiet(["cmake", "-S", self.source, "-B", self.build, "-G", "Ninja",
                          "-DCMAKE_BUILD_TYPE=Release", "-DGRIDSWEEP_BENCH=OFF"])
            if done.returncode != 0:
                sys.exit(done.stdout[-3000:])

    def make(self, target):
        return quiet(["cmake", "--build", self.build, "--target", target])

    def test(self, target):
        return quiet([self.build / "bin" / target, "--gtest_brief=1"])


def judge(tree, mutation):
    """None when the mutation is caught, else what went wrong."""
    path = tree.source / mutation.file
    text = path.read_text()
    if text.count(mutation.old) != 1:
        return f"its text occurs {text.count(mutation.old)} times in {mutation.file}"
    path.write_text(text.replace(mutation.old, mutation.new))
    try:
        built = tree.make(mutation.test)
        if built.returncode != 0:
            return "it does not compile:\n" + built.stdout[-1500:]
        if tree.test(mutation.test).returncode == 0:
            return f"{mutation.test} stays green"
    finally:
        path.write_text(text)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=pathlib.Path, default=None)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    tree = Tree(options.source, (options.build or options.source / "build/mutations").resolve())
    chosen = [m for m in MUTATIONS if not options.names or m.name in options.names]
    for target in sorted({m.test for m in chosen}):
        built = tree.make(target)
        if built.returncode != 0:
            sys.exit(f"{target} does not build without a mutation:\n{built.stdout[-3000:]}")
        if tree.test(target).returncode != 0:
            sys.exit(f"{target} is red without a mutation")
    missed = 0
    for mutation in chosen:
        began = time.monotonic()
        fault = judge(tree, mutation)
        missed += fault is not None
        print(f"{'caught' if fault is None else 'MISSED'}  {mutation.name}  ({time.monotonic() - began:.0f} s)"
              + (f": {fault}" if fault else ""), flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} mutations caught")
    sys.exit(1 if missed or not chosen else 0)


if __name__ == "__main__":
    main()
