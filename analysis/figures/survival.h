// Survival functions of scores: the share of units above each score.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/figures/ask.h"

namespace gridsweep::analysis {

// Scores at which a survival function is drawn: -0.5, -0.45, .. 1.6. Each is an
// edge of the stored bins, so that every share is exact.
std::vector<double> SurvivalScores();

// Shares of all units, those without a score included, that lie above each of
// SurvivalScores(), from whole bins.
std::vector<double> SurvivalOf(const ScoreBins& bins);

// Curves of several groups, as a data set {series, score, share} and a view.
class SurvivalCurves {
 public:
  // The legend has `name` with the numbers of runs and units.
  void Add(const std::string& name, const ScoreBins& bins);
  const Json& rows() const { return rows_; }
  // On a logarithmic axis: steps are left out where no unit remains. `ordered`:
  // the groups are in an order, coloured light to dark.
  Json Draw(const std::string& title, const std::string& dataset, const std::string& legend,
            bool ordered, int width, int height) const;

 private:
  std::vector<std::string> names_;
  Json rows_ = Json::array();
};

}  // namespace gridsweep::analysis
