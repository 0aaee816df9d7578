#include "analysis/predict_recordings.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/interval.h"
#include "analysis/queries/basis.h"
#include "analysis/queries/finished_runs.h"
#include "analysis/queries/selection.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/scoring/map_regression.h"

namespace gridsweep::analysis {
namespace {

using Request = v1::PredictRecordingsRequest;
using Response = v1::PredictRecordingsResponse;

constexpr size_t kMaxBytes = 64 << 20;
constexpr int kMaxRuns = 1'024;
constexpr char kDefinition[] =
    "R^2 of each neuron's ratemap predicted from the units' ratemaps by ridge regression: 5 folds "
    "of 5 blocks each, of 5 x 5 in the box; a margin of a twentieth of the box around held-out "
    "blocks; the penalty chosen within each fold";

static_assert(std::endian::native == std::endian::little, "maps are taken as they lie in memory");

// The middle one, or the mean of the middle two. Precondition: not empty.
double MedianOf(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

class RecordingsJob : public StreamJob<Response> {
 public:
  RecordingsJob(Database& database, const ResultFiles& files, Selection where, int nbins,
                scoring::MapPredictor predictor)
      : database_(database),
        files_(files),
        where_(std::move(where)),
        nbins_(nbins),
        predictor_(std::move(predictor)),
        r_squared_(predictor_.neurons()) {}

  // One run and one group of neurons a piece.
  absl::StatusOr<bool> Step(int thread, std::vector<Response>& out) override {
    if (!located_) {
      RETURN_IF_ERROR(Locate(thread, out));
      return true;
    }
    if (next_run_ < runs_.size()) {
      const FinishedRun& run = runs_[next_run_];
      if (next_group_ == 0) {
        ASSIGN_OR_RETURN(const bool has_maps, Load(run, out));
        if (!has_maps) {
          ++next_run_;
          return true;
        }
      }
      if (!predictor_.Predict(units_, next_group_, r_squared_, gone())) {
        return absl::CancelledError("the caller has gone");
      }
      if (++next_group_ == predictor_.groups()) {
        FinishRun(run, out);
        next_group_ = 0;
        ++next_run_;
      }
      return true;
    }
    for (const CoveredGroup& group : groups_) FinishGroup(group, out);
    return false;
  }

 private:
  // Of the runs of a group that predicted at least one neuron.
  struct Values {
    std::vector<double> medians, fractions;
  };

  absl::Status Locate(int thread, std::vector<Response>& out) {
    located_ = true;
    return database_.Read(thread, [&](Snapshot& snapshot) -> absl::Status {
      RETURN_IF_ERROR(CheckSweepsExist(snapshot, where_, "question.where"));
      ASSIGN_OR_RETURN(runs_, ReadFinishedRuns(snapshot, where_, kMaxRuns, "question.where"));
      if (runs_.empty()) {
        return absl::NotFoundError(
            "question.where: no finished run is selected: there is nothing to predict from");
      }
      groups_ = ReadCoverage(snapshot, where_);
      v1::Basis& basis = *out.emplace_back().mutable_basis();
      basis = MakeBasis(snapshot,
                        {.name = "r_squared",
                         .level = science::MetricLevel::kRun,
                         .binned = false,
                         .unit = "1",
                         .definition = kDefinition},
                        "result files");
      return absl::OkStatus();
    });
  }

  // Reads the run's maps, or says why it is skipped.
  absl::StatusOr<bool> Load(const FinishedRun& run, std::vector<Response>& out) {
    absl::Status why = absl::NotFoundError("it has no result file");
    if (!run.artifact.empty()) {
      ASSIGN_OR_RETURN(const ResultFile file, files_.Open(run.artifact));
      auto maps = file.Ratemaps(nbins_);
      why = maps.status();
      if (maps.ok()) units_ = *std::move(maps);
    }
    if (why.ok()) return true;
    if (!absl::IsNotFound(why)) return why;
    auto& skipped = *out.emplace_back().mutable_skipped();
    skipped.set_run_id(run.run_id);
    skipped.set_reason(std::string(ToStd(why.message())));
    return false;
  }

  void FinishRun(const FinishedRun& run, std::vector<Response>& out) {
    std::vector<double> values;
    for (const double value : r_squared_) {
      if (!std::isnan(value)) values.push_back(value);
    }
    const auto neurons = static_cast<int64_t>(values.size());
    const int64_t predicted = std::ranges::count_if(values, [](double v) { return v > 0; });
    auto& answer = *out.emplace_back().mutable_run();
    answer.set_run_id(run.run_id);
    answer.set_sweep_id(run.sweep_id);
    answer.set_readout(run.readout);
    for (auto& value : KeyValues(where_, run.key)) *answer.add_key() = std::move(value);
    answer.set_units(static_cast<uint32_t>(units_.size() / predictor_.bins()));
    answer.set_neurons(neurons);
    answer.set_nulls(static_cast<int64_t>(r_squared_.size()) - neurons);
    answer.set_predicted(predicted);
    answer.mutable_r_squared()->Assign(r_squared_.begin(), r_squared_.end());
    if (values.empty()) return;
    const double median = MedianOf(values);
    answer.set_median(median);
    if (const auto interval = MedianInterval(values)) *answer.mutable_median_interval() = *interval;
    *answer.mutable_predicted_interval() = *WilsonInterval(predicted, neurons);
    answer.mutable_predicted_interval()->set_method("Wilson over neurons, 95%");
    values_[run.key].medians.push_back(median);
    values_[run.key].fractions.push_back(static_cast<double>(predicted) /
                                         static_cast<double>(neurons));
  }

  void FinishGroup(const CoveredGroup& covered, std::vector<Response>& out) {
    const Values& values = values_[covered.key];
    auto& group = *out.emplace_back().mutable_group();
    *group.mutable_group() = covered.group;
    auto& coverage = *group.mutable_group()->mutable_coverage();
    coverage.set_nulls(coverage.selected_runs() - static_cast<int64_t>(values.medians.size()));
    *group.mutable_median() = MeanOverRunsOf(values.medians);
    *group.mutable_predicted() = MeanOverRunsOf(values.fractions);
  }

  Database& database_;
  const ResultFiles& files_;
  const Selection where_;
  const int nbins_;
  const scoring::MapPredictor predictor_;
  bool located_ = false;
  std::vector<FinishedRun> runs_;
  std::vector<CoveredGroup> groups_;
  size_t next_run_ = 0, next_group_ = 0;
  std::vector<float> units_;  // of the run at hand
  std::vector<double> r_squared_;
  std::map<Key, Values> values_;
};

class RecordingsQuestion : public StreamQuestion<Request, Response> {
 public:
  RecordingsQuestion(Database& database, const ResultFiles& files)
      : database_(database), files_(files) {}

  absl::Status Add(Request& message) override {
    switch (message.part_case()) {
      case Request::kQuestion:
        return Ask(message.question());
      case Request::kMaps:
        return Take(message.maps());
      case Request::PART_NOT_SET:
        break;
    }
    return InvalidField("part", "is missing: send the question, then maps");
  }

  absl::StatusOr<std::unique_ptr<StreamJob<Response>>> Finish() override {
    if (!where_) return InvalidField("question", "is missing: send it first");
    if (maps_.empty()) return InvalidField("maps", "there are none: send at least one");
    if (std::ranges::all_of(maps_, [](float rate) { return std::isnan(rate); })) {
      return InvalidField("maps", "no neuron has a visited bin: all are NaN");
    }
    return std::make_unique<RecordingsJob>(
        database_, files_, *std::move(where_), nbins_,
        scoring::MapPredictor(std::move(maps_), nbins_, static_cast<uint64_t>(seed_)));
  }

 private:
  absl::Status Ask(const Request::Question& question) {
    if (where_) return InvalidField("question", "is there twice; send it once, first");
    if (question.nbins() != 44 && question.nbins() != 32 && question.nbins() != 20) {
      return InvalidField("question.nbins", StrCat(question.nbins(), " is not one of 44, 32, 20"));
    }
    if (question.seed() < 0) {
      return InvalidField("question.seed", StrCat(question.seed(), " is not >= 0"));
    }
    nbins_ = static_cast<int>(question.nbins());
    seed_ = question.seed();
    ASSIGN_OR_RETURN(where_, ParseSelection(question.where(), "question.where"));
    return absl::OkStatus();
  }

  absl::Status Take(const std::string& bytes) {
    if (!where_) return InvalidField("question", "is missing: send it before maps");
    const size_t map_bytes = sizeof(float) * static_cast<size_t>(nbins_) * nbins_;
    if (bytes.empty() || bytes.size() % map_bytes != 0) {
      return InvalidField("maps", StrCat(bytes.size(), " bytes are no whole maps of ", nbins_,
                                         " x ", nbins_, " float32 (", map_bytes, " bytes each)"));
    }
    const size_t have = maps_.size();
    if (have * sizeof(float) + bytes.size() > kMaxBytes) {
      return InvalidField("maps", StrCat("more than ", kMaxBytes / map_bytes, " maps of ", nbins_,
                                         " bins a side; ask in parts"));
    }
    maps_.resize(have + bytes.size() / sizeof(float));
    std::memcpy(maps_.data() + have, bytes.data(), bytes.size());
    for (size_t i = have; i < maps_.size(); ++i) {
      if (!std::isinf(maps_[i])) continue;
      return InvalidField("maps", StrCat("neuron ", i * sizeof(float) / map_bytes,
                                         " has an infinite rate; use NaN for unvisited bins"));
    }
    return absl::OkStatus();
  }

  Database& database_;
  const ResultFiles& files_;
  std::optional<Selection> where_;
  int nbins_ = 0;
  int64_t seed_ = 0;
  std::vector<float> maps_;
};

}  // namespace

std::unique_ptr<StreamQuestion<Request, Response>> MakeRecordingsQuestion(
    Database& database, const ResultFiles& files) {
  return std::make_unique<RecordingsQuestion>(database, files);
}

}  // namespace gridsweep::analysis
