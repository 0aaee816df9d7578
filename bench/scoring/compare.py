#!/usr/bin/python3
"""Our scorer beside the field's way of scoring (Python with scipy), one core each.

Usage: compare.py [path to bench_scoring]

Both score the same maps, the reference ones that have a score, in the same run; times
are of the processor, so that other programs on the machine matter little. The
Python scorer below follows the published algorithm step by step, and is first checked
against the reference scores; so is ours.
Needs numpy, scipy and h5py.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import scipy.ndimage  # noqa: E402
import scipy.signal  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "tests/data/scoring/grid_scores.h5"
ANGLES = (30, 45, 60, 90, 120, 135, 150)
# Zero, constant, and the border map on which the published scorer divides 0 by 0.
WITHOUT_SCORE = (24, 35, 36)
TOLERANCE = 1e-9


class FieldScorer:
    """One map at a time, as published: six 2-D convolutions, seven rotations, ten masks."""

    def __init__(self, nbins):
        lags = np.arange(1 - nbins, nbins)
        radius = np.hypot(*np.meshgrid(lags, lags, indexing="ij"))
        self.masks = [
            ((radius > 0.2 * nbins) & (radius <= outer * nbins)).astype(float)
            for outer in np.linspace(0.4, 1.0, 10)
        ]

    def autocorrelogram(self, ratemap):
        rates = np.nan_to_num(ratemap)
        ones = np.ones_like(rates)

        def correlate(a, b):
            return scipy.signal.convolve2d(b, a[::-1, ::-1], mode="full")

        count = correlate(ones, ones)
        mean_a, mean_b = correlate(rates, ones) / count, correlate(ones, rates) / count
        square_a = correlate(rates**2, ones) / count
        square_b = correlate(ones, rates**2) / count
        with np.errstate(all="ignore"):
            deviation_a = np.sqrt(square_a - mean_a**2)
            deviation_b = np.sqrt(square_b - mean_b**2)
            sac = (correlate(rates, rates) / count - mean_a * mean_b) / (deviation_a * deviation_b)
        sac[~np.isfinite(sac)] = 0
        return sac

    def score(self, ratemap):
        sac = self.autocorrelogram(ratemap)
        turned = {a: scipy.ndimage.rotate(sac, a, reshape=False) for a in ANGLES}
        scores = []
        for mask in self.masks:
            area = mask.sum()
            centred = (sac - (sac * mask).sum() / area) * mask
            mean = (sac * mask).sum() / area
            variance = (centred**2).sum() / area + 1e-5
            corr = {
                a: (centred * (turned[a] - mean) * mask).sum() / area / variance for a in ANGLES
            }
            scores.append(
                (
                    min(corr[60], corr[120]) - max(corr[30], corr[90], corr[150]),
                    corr[90] - (corr[45] + corr[135]) / 2,
                )
            )
        return np.max(scores, axis=0)


def time_field(nbins, maps):
    scorer = FieldScorer(nbins)
    scores, seconds = [], []
    for ratemap in maps:
        start = time.process_time()
        scores.append(scorer.score(ratemap))
        seconds.append(time.process_time() - start)
    # The faster half: every map costs the same work, other processes only add to it.
    return np.array(scores).T, np.mean(np.sort(seconds)[: (len(seconds) + 1) // 2]) * 1e6


def time_ours(program, nbins, maps):
    with tempfile.NamedTemporaryFile() as file:
        file.write(np.ascontiguousarray(maps, dtype=np.float64).tobytes())
        file.flush()
        out = subprocess.run(
            [program, str(nbins), file.name], check=True, capture_output=True, text=True
        )
    return json.loads(out.stdout)


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/bin/bench_scoring")
    failed = False
    print(f"{'bins':>4} {'field units/s':>14} {'ours units/s':>13} {'ratio':>6} "
          f"{'with period/s':>14} {'worst difference to the reference':>34}")
    details = []
    for nbins in (20, 32, 44):
        with h5py.File(REFERENCE) as file:
            group = file[f"nbins_{nbins}"]
            keep = [i for i in range(len(group["grid_score_60"])) if i not in WITHOUT_SCORE]
            maps = group["ratemap"][:][keep].astype(np.float64)
            reference = np.array([group["grid_score_60"][:][keep], group["grid_score_90"][:][keep]])
        field, field_us = time_field(nbins, maps)
        ours = time_ours(program, nbins, maps)
        scores = np.array([ours["grid_score_60"], ours["grid_score_90"]])
        off_ours, off_field = np.abs(scores - reference).max(), np.abs(field - reference).max()
        ratio = field_us / ours["score_us"]
        failed |= not (off_ours <= TOLERANCE and off_field <= TOLERANCE)
        print(f"{nbins:4} {1e6 / field_us:14.1f} {1e6 / ours['score_us']:13.0f} {ratio:6.0f} "
              f"{1e6 / ours['score_and_period_us']:14.0f} "
              f"{f'ours {off_ours:.1e}, field {off_field:.1e}':>34}")
        details.append(ours)

    print("\nWhat bounds ours (float64, multiply and add, one core, best of many rounds):")
    for ours in details:
        rate = ours["correlate_flop"] / ours["correlate_us"] * 1e6
        print(f"{ours['nbins']:4} bins: {ours['score_us']:.1f} us = sums of products "
              f"{ours['correlate_us']:.1f} ({ours['correlate_flop'] / 1e6:.2f} Mflop at "
              f"{rate / 1e9:.1f} Gflop/s, {100 * rate / ours['peak_flops']:.0f}% of the measured "
              f"peak {ours['peak_flops'] / 1e9:.1f} with {ours['kernels']}), windows "
              f"{ours['normalize_us']:.1f}, turns and rings {ours['turn_us']:.1f}; period adds "
              f"{ours['peaks_us']:.1f}")
    if failed:
        print(f"\nFAILED: both must agree with the reference to {TOLERANCE}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
