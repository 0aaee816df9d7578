// Times the grid scorer on one core.
//   bench_scoring NBINS MAPS  scores every map of a file (float64 [maps, NBINS, NBINS])
// and prints one JSON object: times in microseconds a unit, and the scores, for a
// comparison with others.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

#include "bench/scoring/peak.h"
#include "science/scoring/autocorrelogram.h"
#include "science/scoring/grid_scorer.h"
#include "science/scoring/kernels.h"
#include "science/scoring/period.h"
#include "science/scoring/rotation.h"

namespace gridsweep::scoring {
namespace {

constexpr int kRounds = 20, kCalls = 4;

// Microseconds of one call of `work`, averaged over all maps; of each map the best of
// several rounds, as short as can be told from the clock's own cost.
template <typename F>
double Microseconds(size_t maps, F work) {
  double total = 0;
  for (size_t i = 0; i < maps; ++i) {
    double best = 1e300;
    for (int round = 0; round < kRounds; ++round) {
      const double start = ProcessorSeconds();
      for (int call = 0; call < kCalls; ++call) work(i);
      best = std::min(best, (ProcessorSeconds() - start) / kCalls);
    }
    total += best;
  }
  return total / static_cast<double>(maps) * 1e6;
}

void PrintScores(const char* name, const std::vector<double>& scores) {
  std::printf(", \"%s\": [", name);
  for (size_t i = 0; i < scores.size(); ++i) std::printf("%s%.17g", i ? ", " : "", scores[i]);
  std::printf("]");
}

void Run(int n, const std::vector<double>& maps) {
  const size_t size = static_cast<size_t>(n) * n, count = maps.size() / size;
  const auto map = [&](size_t i) { return std::span(maps).subspan(i * size, size); };
  const GridScorer scorer(n);
  std::vector<double> score_60(count), score_90(count);
  double checksum = 0;  // keeps results that are timed and not printed
  const double score_us = Microseconds(count, [&](size_t i) {
    const GridScores scores = scorer.Score(map(i));
    score_60[i] = scores.grid_score_60;
    score_90[i] = scores.grid_score_90;
  });
  const double all_us = Microseconds(
      count, [&](size_t i) { checksum += scorer.ScoreAll(map(i)).scores.grid_score_60; });

  const Kernels& kernels = *SupportedKernels().back();
  const Autocorrelator autocorrelator(n, kernels);
  const RingRotations rotations(n, kernels);
  Autocorrelator::Work work;
  RingRotations::Work ring_work;
  std::vector<double> lags((2 * n - 1) * (2 * n - 1));
  const double correlate_us =
      Microseconds(count, [&](size_t i) { autocorrelator.Correlate(map(i), work); });
  const double normalize_us = Microseconds(count, [&](size_t i) {
    autocorrelator.Normalize(map(i), false, work);
    autocorrelator.Unfold(work.pearson, lags.data());
  });
  const double turn_us = Microseconds(
      count, [&](size_t) { checksum += rotations.Correlate(lags, ring_work)[0].at_60; });
  const double peaks_us =
      Microseconds(count, [&](size_t) { checksum += FindPeaks(lags, n).period_bins; });

  // A product and a sum for each pair of bins of half of the lags.
  const double flop = static_cast<double>(size) * n * (n + 1);
  std::printf(
      "{\"nbins\": %d, \"units\": %zu, \"kernels\": \"%s\", \"score_us\": %.3f, "
      "\"score_and_period_us\": %.3f, \"correlate_us\": %.3f, \"normalize_us\": %.3f, "
      "\"turn_us\": %.3f, \"peaks_us\": %.3f, \"correlate_flop\": %.0f, \"peak_flops\": %.4g",
      n, count, kernels.name, score_us, all_us, correlate_us, normalize_us, turn_us, peaks_us, flop,
      PeakFlops());
  PrintScores("grid_score_60", score_60);
  PrintScores("grid_score_90", score_90);
  std::printf("}\n");
  if (checksum == 0.5) std::fprintf(stderr, "\n");
}

}  // namespace
}  // namespace gridsweep::scoring

int main(int argc, char** argv) {
  const int nbins = argc == 3 ? std::atoi(argv[1]) : 0;
  if (nbins < 4) {
    std::fprintf(stderr, "usage: bench_scoring NBINS MAPS (NBINS >= 4)\n");
    return 2;
  }
  std::ifstream file(argv[2], std::ios::binary);
  const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
  const size_t map_bytes = sizeof(double) * nbins * nbins;
  if (bytes.empty() || bytes.size() % map_bytes != 0) {
    std::fprintf(stderr, "%s: %zu bytes are not a whole number of %d x %d maps\n", argv[2],
                 bytes.size(), nbins, nbins);
    return 1;
  }
  std::vector<double> maps(bytes.size() / sizeof(double));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(maps.data()));
  gridsweep::scoring::Run(nbins, maps);
  return 0;
}
