// P3: the readout's own correlations. A row a readout: Sigma, its spectrum and its mean over
// directions with the ring and the formulas, the leading eigenvectors.
#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>

#include "analysis/figures/panels.h"
#include "analysis/figures/theory_parts.h"
#include "common/strings.h"
#include "science/config/parameters.h"
#include "science/theory/readout_theory.h"

namespace gridsweep::analysis {
namespace {

constexpr size_t kMostRows = 9;
constexpr int kEigenmaps = 3;
constexpr int kModes = 11;              // of the spectrum, on either side of zero
constexpr double kMostWavenumber = 60;  // rad/m, of the curve

// The middle of the spectrum, zero mode in its centre.
std::vector<double> CentreOf(const std::vector<double>& spectrum, int res) {
  std::vector<double> centre;
  for (int i = -kModes; i <= kModes; ++i) {
    for (int j = -kModes; j <= kModes; ++j) {
      centre.push_back(spectrum[(i + res) % res * res + (j + res) % res]);
    }
  }
  return centre;
}

Json CurveView(const std::string& dataset) {
  Json view = View("", 230, 84);
  view["title"] = {
      {"text", "spectrum, mean over directions"}, {"fontSize", 10}, {"anchor", "middle"}};
  const Json x = Quantitative("k", "wavenumber, rad/m", 0, kMostWavenumber);
  Json colour = Nominal("mark", "", {});
  colour["scale"] = {{"domain", {"local maximum", "closed form", "published, one-dimensional"}},
                     {"range", {"#d55e00", "#009e73", "#999999"}}};
  view["layer"] = {
      {{"data", {{"name", dataset}}},
       {"mark", {{"type", "line"}, {"strokeWidth", 1.6}, {"clip", true}}},
       {"encoding", {{"x", x}, {"y", Quantitative("power", "share of maximum", 0, 1)}}}},
      {{"data", {{"name", dataset + "_marks"}}},
       {"mark", {{"type", "rule"}, {"strokeWidth", 1.5}, {"strokeDash", {5, 3}}, {"clip", true}}},
       {"encoding", {{"x", x}, {"color", colour}}}}};
  return view;
}

class Correlations : public TheoryFigure {
 public:
  explicit Correlations(std::vector<SweepReadouts::Readout> readouts)
      : readouts_(ChooseEvenly(std::move(readouts), kMostRows, count_)) {}

  bool Step() override {
    if (next_ == readouts_.size()) return true;
    Draw(readouts_[next_++]);
    return next_ == readouts_.size();
  }

  std::optional<Figure> Take() override {
    if (rows_.empty()) return std::nullopt;
    Figure figure;
    figure.title = "P3: the readout's own correlations";
    figure.notes = {
        StrCat("Theory, no training. ", count_, count_ == 1 ? " readout" : " readouts",
               " in the selection, ", rows_.size(), rows_.size() == 1 ? " is drawn" : " are drawn",
               skipped_ > 0 ? StrCat("; ", skipped_, " not covered by the theory.") : "."),
        "From the left: Σ over all displacements (zero in the middle); its spectrum within ±11 "
        "modes, the zero mode taken off; the spectrum's mean over directions; the three leading "
        "eigenvectors "
        "of Σ, each cell's mean taken off. A maximum beyond the lowest wavenumber, a ring, "
        "predicts a "
        "lattice; dashed: that maximum and the formulas for it."};
    figure.datasets = std::move(datasets_);
    figure.view = Above(std::move(rows_));
    return figure;
  }

 private:
  void Draw(const SweepReadouts::Readout& readout) {
    const theory::TheoryOptions options{.eigenmaps = kEigenmaps};
    const auto predicted = theory::PredictLattice(readout.config, options);
    if (!predicted.ok()) {
      ++skipped_;
      return;
    }
    const std::string dataset = StrCat("readout_", rows_.size() + 1);
    const double largest = predicted->rings.maximum.power;
    Json curve = Json::array(), marks = Json::array();
    for (size_t m = 0; m < predicted->radial.power.size(); ++m) {
      const double k = static_cast<double>(m + 1) * predicted->radial.step;
      if (k > kMostWavenumber) break;
      curve.push_back(
          {{"k", Rounded(k)}, {"power", Rounded(predicted->radial.power[m] / largest)}});
    }
    const auto mark = [&](const char* name, const std::optional<double>& k) {
      if (k) marks.push_back({{"mark", name}, {"k", Rounded(*k)}});
    };
    if (predicted->rings.local) mark("local maximum", predicted->rings.local->wavenumber);
    mark("closed form", predicted->closed_forms.wavenumber);
    mark("published, one-dimensional", predicted->closed_forms.published_one_dimensional);
    datasets_[dataset] = std::move(curve);
    datasets_[dataset + "_marks"] = std::move(marks);

    const auto& sigma = predicted->correlations.sigma;
    const auto [low, high] = std::ranges::minmax(sigma);
    std::vector<Json> parts = {
        ThinnedMap("Σ", sigma, options.res, low, high, "viridis"),
        HeatMap("spectrum", CentreOf(predicted->correlations.spectrum, options.res), 2 * kModes + 1,
                4, 0, std::ranges::max(predicted->correlations.spectrum), "magma"),
        CurveView(dataset)};
    const auto size = static_cast<size_t>(options.res) * options.res;
    for (size_t e = 0; e < predicted->eigenmaps.values.size(); ++e) {
      const std::vector<double> map(
          predicted->eigenmaps.maps.begin() + static_cast<std::ptrdiff_t>(e * size),
          predicted->eigenmaps.maps.begin() + static_cast<std::ptrdiff_t>((e + 1) * size));
      const double reach = std::max(std::abs(std::ranges::min(map)), std::ranges::max(map));
      parts.push_back(ThinnedMap(absl::StrFormat("eigenvector %d", e + 1), map, options.res, -reach,
                                 reach, "redblue"));
    }
    Json row = Beside(std::move(parts));
    row["spacing"] = 12;
    row["title"] = ReadoutText(readout.config);
    rows_.push_back(std::move(row));
  }

  size_t count_ = 0;  // readouts of the selection
  const std::vector<SweepReadouts::Readout> readouts_;
  size_t next_ = 0;
  size_t skipped_ = 0;
  Json datasets_ = Json::object();
  std::vector<Json> rows_;
};

}  // namespace

std::unique_ptr<TheoryFigure> ComputeP03(std::vector<SweepReadouts::Readout> readouts) {
  return std::make_unique<Correlations>(std::move(readouts));
}

}  // namespace gridsweep::analysis
