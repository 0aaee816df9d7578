#include <algorithm>
#include <atomic>
#include <cmath>
#include <ostream>
#include <thread>

#include "common/strings.h"
#include "science/scoring/grid_scorer.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/hdf5_maps.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

constexpr size_t kBatch = 256;  // maps in memory at a time

struct Options {
  std::string file;
  std::vector<std::string> datasets;
  bool mask_unvisited = false;
};

// Scores [count, n, n] on all cores; a map with an infinity has no score.
std::vector<scoring::GridScorer::All> ScoreAll(const scoring::GridScorer& scorer,
                                               const std::vector<double>& maps, size_t count) {
  const size_t size = maps.size() / count;
  std::vector<scoring::GridScorer::All> results(count);
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) {
      const std::span<const double> map(maps.data() + i * size, size);
      if (std::any_of(map.begin(), map.end(), [](double x) { return std::isinf(x); })) {
        results[i].scores.grid_score_60 = results[i].scores.grid_score_90 = std::nan("");
        results[i].period.period_bins = std::nan("");
      } else {
        results[i] = scorer.ScoreAll(map);
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back(work);
  }
  work();
  for (auto& thread : threads) thread.join();
  return results;
}

absl::StatusOr<std::vector<MapStack>> Choose(Console& console, const Hdf5Maps& file,
                                             const Options& options) {
  if (options.datasets.empty()) {
    for (const auto& skipped : file.skipped()) {
      console.err << "note: " << skipped.name << " " << skipped.why << ": skipped\n";
    }
    if (file.stacks().empty()) return file.NoStacks();
    return file.stacks();
  }
  std::vector<MapStack> chosen;
  for (const std::string& name : options.datasets) {
    ASSIGN_OR_RETURN(chosen.emplace_back(), file.Find(name));
  }
  return chosen;
}

absl::StatusOr<int> Score(Session& session, const Options& options) {
  Console& console = session.console();
  ASSIGN_OR_RETURN(const auto file, Hdf5Maps::Open(options.file));
  ASSIGN_OR_RETURN(const auto stacks, Choose(console, *file, options));
  Listing listing;
  listing.columns = {{"DATASET"},
                     {"UNIT", true},
                     {"GRID_SCORE_60", true},
                     {"GRID_SCORE_90", true},
                     {"PERIOD_BINS", true}};
  size_t units = 0, unscored = 0;
  for (const auto& stack : stacks) {
    scoring::GridScorer::Options scorer_options;
    scorer_options.mask_unvisited = options.mask_unvisited;
    const scoring::GridScorer scorer(stack.nbins, scorer_options);
    for (size_t first = 0; first < stack.units; first += kBatch) {
      const size_t count = std::min(kBatch, stack.units - first);
      if (console.err_live && stack.units > kBatch) {
        console.err << "\r\x1b[2K" << stack.name << ": " << first << " of " << stack.units
                    << std::flush;
      }
      ASSIGN_OR_RETURN(const auto maps, file->Read(stack, first, count));
      const auto results = ScoreAll(scorer, maps, count);
      for (size_t i = 0; i < count; ++i) {
        const double s60 = results[i].scores.grid_score_60;
        const double s90 = results[i].scores.grid_score_90;
        const double period = results[i].period.period_bins;
        const auto unit = static_cast<int64_t>(first + i);
        listing.rows.push_back(
            {Text(stack.name), Number(unit), Real(s60, 4), Real(s90, 4), Real(period, 2)});
        // JSON has no NaN: no score is null.
        const auto value = [](double x) {
          return std::isnan(x) ? nlohmann::ordered_json() : nlohmann::ordered_json(x);
        };
        listing.items.push_back({{"dataset", stack.name},
                                 {"unit", unit},
                                 {"grid_score_60", value(s60)},
                                 {"grid_score_90", value(s90)},
                                 {"period_bins", value(period)}});
        listing.names.push_back(StrCat(stack.name, ":", unit));
        ++units;
        if (std::isnan(s60)) ++unscored;
      }
    }
    if (console.err_live && stack.units > kBatch) console.err << "\r\x1b[2K";
  }
  session.Print(listing);
  if (unscored > 0) {
    console.err << "note: " << unscored << " of " << units
                << " maps have no score: silent, constant or not finite\n";
  }
  return kDone;
}

}  // namespace

void AddScore(CLI::App& app, Session& session) {
  CLI::App* verb =
      AddVerb(app, "score", "Grid scores of ratemaps in an HDF5 file, without a server",
              "sweepctl score ratemaps.h5 -o csv > scores.csv");
  auto options = std::make_shared<Options>();
  verb->add_option("FILE", options->file,
                   "HDF5 file; every dataset [units, n, n] is scored, first index x, NaN = "
                   "unvisited")
      ->required();
  verb->add_option("--dataset", options->datasets, "Only these datasets, by path")
      ->type_name("PATH")
      ->expected(1)
      ->take_all();
  verb->add_flag("--mask-unvisited", options->mask_unvisited,
                 "Leave unvisited bins out instead of counting them as 0");
  session.OnRun(verb, [&session, options] { return Score(session, *options); });
}

}  // namespace gridsweep::sweepctl
