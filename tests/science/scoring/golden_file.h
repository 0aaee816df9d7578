// Reference grid scores: maps, and what the published scorer makes of them.
#pragma once

#include <string>
#include <vector>

namespace gridsweep::scoring {

struct GoldenScores {
  int maps = 0;
  std::vector<double> ratemap;                     // [maps, nbins, nbins]
  std::vector<double> sac;                         // [maps, 2 nbins - 1, 2 nbins - 1], float32
  std::vector<double> score_60, score_90;          // [maps]
  std::vector<double> mask_60, mask_90;            // [maps, 10]
  std::vector<double> best_mask_60, best_mask_90;  // [maps, 2]: inner, outer share of nbins
  std::vector<double> period, period_error;        // [maps], bins
  std::vector<double> orientation;                 // [maps, 6], rad
};

// Throws std::runtime_error naming what is missing.
GoldenScores ReadGoldenScores(int nbins);

}  // namespace gridsweep::scoring
