// P9: pattern formation with and without non-negativity. How many patterns that grow from
// noise under a readout's correlations are hexagonal, square or striped, with tanh and relu.
#include <absl/strings/str_format.h>

#include <algorithm>
#include <map>

#include "analysis/figures/panels.h"
#include "analysis/figures/theory_parts.h"
#include "common/strings.h"
#include "science/theory/lattice_class.h"
#include "science/theory/pattern_formation.h"
#include "science/theory/readout_theory.h"

namespace gridsweep::analysis {
namespace {

constexpr size_t kMostReadouts = 4;
constexpr size_t kMapsDrawn = 6;
constexpr int64_t kStepsAtOnce = 10;
constexpr theory::Nonlinearity kActivations[] = {theory::Nonlinearity::kTanh,
                                                 theory::Nonlinearity::kRelu};

class Patterns : public TheoryFigure {
 public:
  explicit Patterns(std::vector<SweepReadouts::Readout> readouts)
      : readouts_(ChooseEvenly(std::move(readouts), kMostReadouts, count_)),
        classifier_(options_.res) {}

  bool Step() override {
    if (growing_) {
      if (growing_->Advance(kStepsAtOnce)) return false;
      Finish();
      return false;
    }
    if (spectrum_.empty()) {
      if (next_ == readouts_.size()) return true;
      const auto predicted = theory::PredictLattice(readouts_[next_].config, options_);
      if (!predicted.ok()) {
        ++skipped_;
        ++next_;
        return false;
      }
      spectrum_ = predicted->correlations.spectrum;
      activation_ = 0;
    }
    if (activation_ < std::size(kActivations)) {
      pattern_ = theory::PublishedPatterns(theory::Coupling::kNone, kActivations[activation_]);
      growing_.emplace(options_.res, spectrum_, pattern_);
      return false;
    }
    spectrum_.clear();
    ++next_;
    return false;
  }

  std::optional<Figure> Take() override {
    if (maps_.empty()) return std::nullopt;
    Figure figure;
    figure.title = "P9: pattern formation with tanh and relu";
    figure.notes = {
        StrCat("Theory, no training. ", count_, count_ == 1 ? " readout" : " readouts",
               " in the selection, ", next_ - skipped_, " drawn",
               skipped_ > 0 ? StrCat("; ", skipped_, " not covered by the theory.") : ".",
               " 32 units each, alone, grown from noise for 1,000 steps of the published size."),
        "Class: hexagonal where the grid score (60°) is above 0.8, else square where the one of "
        "90° is above 1, else stripes where waves run in one direction, else none. Maps: the first "
        "six units.",
        "tanh has its published step size, a fiftieth of relu's: its maps have hardly grown when "
        "they "
        "are read, and relu or no nonlinearity there gives no hexagons either. Its bars do not "
        "show "
        "what non-negativity does."};
    figure.datasets["classes"] = std::move(classes_);
    Json bars = View("A  Lattices among the units", 330, 0);
    bars["height"] = {{"step", 26}};
    bars["data"] = {{"name", "classes"}};
    Json colour = Nominal("lattice", "", {});
    colour["scale"] = {{"domain", {"hexagonal", "square", "stripes", "none"}},
                       {"range", {"#0072b2", "#d55e00", "#e69f00", "#cccccc"}}};
    bars["mark"] = {{"type", "bar"}};
    bars["encoding"] = {
        {"y", Nominal("pattern", "", patterns_)},
        {"x", {{"field", "units"}, {"type", "quantitative"}, {"title", "units (of 32)"}}},
        {"order", {{"field", "order"}}},
        {"color", colour}};
    figure.view = Above({std::move(bars), Tiled(std::move(maps_), kMapsDrawn)});
    return figure;
  }

 private:
  void Finish() {
    const std::string name =
        StrCat(pattern_.nonlinearity == theory::Nonlinearity::kRelu ? "relu: " : "tanh: ",
               ReadoutText(readouts_[next_].config));
    patterns_.push_back(name);
    const auto size = static_cast<size_t>(options_.res) * options_.res;
    std::map<theory::Lattice, int> counts;
    for (size_t unit = 0; unit < static_cast<size_t>(pattern_.units); ++unit) {
      const std::span<const double> map(&growing_->maps()[unit * size], size);
      const theory::LatticeReading reading = classifier_.Read(map);
      ++counts[reading.lattice];
      if (unit >= kMapsDrawn) continue;
      const auto [low, high] = std::ranges::minmax(map);
      maps_.push_back(ThinnedMap(StrCat(name.substr(0, 4), ": ", theory::NameOf(reading.lattice)),
                                 {map.begin(), map.end()}, options_.res, low, high, "viridis"));
    }
    int order = 0;
    for (const auto lattice : {theory::Lattice::kHexagonal, theory::Lattice::kSquare,
                               theory::Lattice::kStripes, theory::Lattice::kNone}) {
      classes_.push_back({{"pattern", name},
                          {"lattice", theory::NameOf(lattice)},
                          {"order", order++},
                          {"units", counts[lattice]}});
    }
    growing_.reset();
    ++activation_;
  }

  const theory::TheoryOptions options_{.eigenmaps = 0};
  size_t count_ = 0;  // readouts of the selection
  const std::vector<SweepReadouts::Readout> readouts_;
  theory::LatticeClassifier classifier_;
  size_t next_ = 0, skipped_ = 0;
  // Of the readout at hand; empty before it is predicted.
  std::vector<double> spectrum_;
  size_t activation_ = 0;
  theory::PatternOptions pattern_;
  std::optional<theory::PatternFormation> growing_;
  std::vector<std::string> patterns_;
  Json classes_ = Json::array();
  std::vector<Json> maps_;
};

}  // namespace

std::unique_ptr<TheoryFigure> ComputeP09(std::vector<SweepReadouts::Readout> readouts) {
  return std::make_unique<Patterns>(std::move(readouts));
}

}  // namespace gridsweep::analysis
