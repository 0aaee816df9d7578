#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "common/group_value.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/hdf5_maps.h"
#include "sweepctl/number_check.h"
#include "sweepctl/selection.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

// Of maps: in a message, of which servers take 4 MiB, and in a question.
constexpr size_t kMessageBytes = 2 << 20, kMostBytes = 64 << 20;
// Seconds a run, of many runs; who has waited enough interrupts.
constexpr absl::Duration kLongest = absl::Hours(12);
constexpr int kStoredSizes[] = {20, 32, 44};

struct Options {
  std::string file, dataset;
  SelectionFlags where;
  std::optional<int64_t> run;
  int64_t seed = 0;
  bool groups = false, neurons = false;
};

// The one stack of recorded maps that is meant.
absl::StatusOr<MapStack> Choose(const Hdf5Maps& file, const Options& options) {
  MapStack stack;
  if (!options.dataset.empty()) {
    ASSIGN_OR_RETURN(stack, file.Find(options.dataset));
  } else if (file.stacks().empty()) {
    std::string why;
    for (const auto& skipped : file.skipped()) why += StrCat("; ", skipped.name, " ", skipped.why);
    const absl::Status none = file.NoStacks();
    return absl::Status(none.code(), StrCat(ToStd(none.message()), why));
  } else if (file.stacks().size() > 1) {
    std::string names;
    for (const auto& s : file.stacks()) names += (names.empty() ? "" : ", ") + s.name;
    return UsageError(
        StrCat(options.file, ": holds several stacks of maps: say which with --dataset: ", names));
  } else {
    stack = file.stacks().front();
  }
  if (std::ranges::find(kStoredSizes, stack.nbins) == std::end(kStoredSizes)) {
    return absl::InvalidArgumentError(StrCat(
        options.file, ": ", stack.name, " has maps of ", stack.nbins, " x ", stack.nbins,
        " bins; runs store 20 x 20, 32 x 32 and 44 x 44: bin the recordings to one of these"));
  }
  return stack;
}

// Whole maps as float32, in pieces that fit a message.
absl::StatusOr<std::vector<std::string>> ReadMaps(const Hdf5Maps& file, const MapStack& stack,
                                                  const Options& options) {
  const std::string where = StrCat(options.file, ": ", stack.name);
  const size_t size = static_cast<size_t>(stack.nbins) * stack.nbins;
  const size_t most = kMostBytes / (sizeof(float) * size);
  if (stack.units > most) {
    return absl::InvalidArgumentError(StrCat(where, " has ", stack.units, " neurons; at most ",
                                             most, " of ", stack.nbins, " x ", stack.nbins,
                                             " bins can be asked about at once: split it"));
  }
  const size_t batch = kMessageBytes / (sizeof(float) * size);
  std::vector<std::string> pieces;
  bool any_visited = false;
  for (size_t first = 0; first < stack.units; first += batch) {
    const size_t count = std::min(batch, stack.units - first);
    ASSIGN_OR_RETURN(const std::vector<double> rates, file.Read(stack, first, count));
    const std::vector<float> maps(rates.begin(), rates.end());
    for (size_t i = 0; i < maps.size(); ++i) {
      if (std::isinf(maps[i])) {
        return absl::InvalidArgumentError(
            StrCat(where, "[", first + i / size,
                   "] has an infinite rate; write NaN where a bin was never visited"));
      }
      any_visited |= !std::isnan(maps[i]);
    }
    pieces.emplace_back(reinterpret_cast<const char*>(maps.data()), maps.size() * sizeof(float));
  }
  if (!any_visited) {
    return absl::InvalidArgumentError(
        StrCat(where, " has no neuron with a visited bin: all is NaN"));
  }
  return pieces;
}

struct Answer {
  v1::Basis basis;
  std::vector<v1::RunPrediction> runs;
  std::vector<v1::GroupPrediction> groups;
};

absl::StatusOr<Answer> Ask(Console& console, Client& client, const v1::Selection& where, int nbins,
                           const std::vector<std::string>& maps, const Options& options) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kLongest));
  const absl::Time start = absl::Now();
  const auto stream = client.analysis().PredictRecordings(&context);
  v1::PredictRecordingsRequest message;
  *message.mutable_question()->mutable_where() = where;
  message.mutable_question()->set_nbins(static_cast<uint32_t>(nbins));
  message.mutable_question()->set_seed(options.seed);
  // A write fails where the server has refused; Finish says why.
  bool taken = stream->Write(message);
  for (size_t i = 0; i < maps.size() && taken; ++i) {
    message.set_maps(maps[i]);
    taken = stream->Write(message);
  }
  stream->WritesDone();
  Answer answer;
  v1::PredictRecordingsResponse part;
  while (stream->Read(&part)) {
    if (part.has_basis()) answer.basis = part.basis();
    if (part.has_run()) answer.runs.push_back(std::move(*part.mutable_run()));
    if (part.has_group()) answer.groups.push_back(std::move(*part.mutable_group()));
    if (part.has_skipped()) {
      console.err << "note: run " << part.skipped().run_id()
                  << " is left out: " << part.skipped().reason() << "\n";
    }
    if (console.err_live) {
      console.err << "\r\x1b[2K" << answer.runs.size() << " runs" << std::flush;
    }
  }
  if (console.err_live) console.err << "\r\x1b[2K";
  const absl::Status status = FromGrpc(stream->Finish());
  client.Trace("PredictRecordingsRequest", start, status);
  if (!status.ok()) return client.Explain(status, Server::kAnalysis);
  return answer;
}

Cell MeanCell(const v1::MeanOverRuns& mean) {
  if (!mean.has_mean()) return Missing();
  Cell cell = Real(mean.mean(), 3);
  if (mean.has_sem()) cell.text += absl::StrFormat(" ± %.3f", mean.sem());
  return cell;
}

void AddKeys(std::vector<Cell>& cells,
             const google::protobuf::RepeatedPtrField<v1::GroupValue>& key) {
  for (const auto& value : key) cells.push_back(Text(GroupValueText(value)));
}

Listing Runs(const Answer& answer, const std::vector<std::string>& by) {
  Listing listing;
  listing.columns = {{"RUN", true}, {"READOUT"}};
  for (const auto& field : by) listing.columns.push_back({field});
  for (const Column& column :
       {Column{"UNITS", true}, Column{"NEURONS", true}, Column{"MEDIAN R2"},
        Column{"R2 > 0", false, false, "r2_above_0"}, Column{"NO R2", true}}) {
    listing.columns.push_back(column);
  }
  for (const auto& run : answer.runs) {
    std::vector<Cell> cells = {Number(run.run_id()), Text(run.readout())};
    AddKeys(cells, run.key());
    cells.push_back(Integer(run.units()));
    cells.push_back(Integer(run.neurons()));
    cells.push_back(run.has_median() ? WithInterval(run.median(), run.has_median_interval(),
                                                    run.median_interval())
                                     : Missing());
    cells.push_back(run.neurons() > 0 ? WithInterval(static_cast<double>(run.predicted()) /
                                                         static_cast<double>(run.neurons()),
                                                     true, run.predicted_interval())
                                      : Missing());
    cells.push_back(Integer(run.nulls()));
    listing.rows.push_back(std::move(cells));
    listing.names.push_back(StrCat(run.run_id()));
    listing.items.push_back(ToJson(run));
  }
  return listing;
}

Listing Groups(const Answer& answer, const std::vector<std::string>& by) {
  Listing listing;
  for (const auto& field : by) listing.columns.push_back({field});
  if (by.empty()) listing.columns.push_back({"GROUP"});
  for (const Column& column : {Column{"RUNS", true}, Column{"MEAN MEDIAN R2"},
                               Column{"MEAN R2 > 0", false, false, "mean_r2_above_0"}}) {
    listing.columns.push_back(column);
  }
  for (const auto& group : answer.groups) {
    std::vector<Cell> cells;
    AddKeys(cells, group.group().key());
    if (by.empty()) cells.push_back(Text("all"));
    std::string name;
    for (const Cell& cell : cells) name += (name.empty() ? "" : ",") + cell.text;
    cells.push_back(Integer(group.median().n()));
    cells.push_back(MeanCell(group.median()));
    cells.push_back(MeanCell(group.predicted()));
    listing.rows.push_back(std::move(cells));
    listing.names.push_back(name);
    listing.items.push_back(ToJson(group));
  }
  return listing;
}

// A row a run and neuron.
Listing Neurons(const Answer& answer) {
  Listing listing;
  listing.columns = {{"RUN", true}, {"NEURON", true}, {"R2", true}};
  for (const auto& run : answer.runs) {
    for (int neuron = 0; neuron < run.r_squared_size(); ++neuron) {
      const double value = run.r_squared(neuron);
      listing.rows.push_back({Number(run.run_id()), Number(neuron), Real(value, 3)});
      listing.names.push_back(StrCat(run.run_id(), ":", neuron));
      listing.items.push_back({{"run_id", run.run_id()},
                               {"neuron", neuron},
                               {"r_squared", std::isnan(value) ? nlohmann::ordered_json()
                                                               : nlohmann::ordered_json(value)}});
    }
  }
  return listing;
}

absl::StatusOr<int> Compare(Session& session, const Options& options) {
  Console& console = session.console();
  ASSIGN_OR_RETURN(const auto file, Hdf5Maps::Open(options.file));
  ASSIGN_OR_RETURN(const MapStack stack, Choose(*file, options));
  ASSIGN_OR_RETURN(const auto maps, ReadMaps(*file, stack, options));
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(v1::Selection where, MakeSelection(*client, options.where));
  if (options.run) {
    const std::string run = StrCat("run = ", *options.run);
    where.set_filter(where.filter().empty() ? run : StrCat(where.filter(), " AND ", run));
  }
  ASSIGN_OR_RETURN(const Answer answer, Ask(console, *client, where, stack.nbins, maps, options));
  const std::vector<std::string>& by = options.where.by;
  Listing runs = Runs(answer, by), groups = Groups(answer, by);
  nlohmann::ordered_json document = {{"file", options.file},
                                     {"dataset", stack.name},
                                     {"basis", ToJson(answer.basis)},
                                     {"runs", runs.items},
                                     {"groups", groups.items}};
  if (options.neurons) {
    session.Print(Neurons(answer));
  } else if (session.prose()) {
    session.Print(runs);
    console.out << "\n";
    session.Print(groups);
    console.err << stack.name << ": " << WithCommas(static_cast<int64_t>(stack.units))
                << " neurons of " << stack.nbins << " x " << stack.nbins << " bins. "
                << BasisText(answer.basis)
                << " Median over neurons, fraction of neurons with R2 > 0, 95% intervals; groups: "
                   "mean ± s.e.m. over runs. Compare with untrained runs of the same size.\n";
  } else {
    runs.document = groups.document = std::move(document);
    session.Print(options.groups ? groups : runs);
  }
  const int64_t nulls = answer.runs.empty() ? 0 : answer.runs.front().nulls();
  if (nulls > 0) {
    std::string which;
    const auto& values = answer.runs.front().r_squared();
    int named = 0;
    for (int i = 0; i < values.size() && named < 5; ++i) {
      if (std::isnan(values[i])) which += StrCat(named++ == 0 ? "" : ", ", i);
    }
    console.err << "note: " << nulls << " of " << stack.units << " neurons of " << stack.name
                << " have no R2 (" << which << (nulls > named ? ", ..." : "")
                << "): constant, or not visited in all parts of the box\n";
  }
  std::vector<v1::Coverage> coverages;
  for (const auto& group : answer.groups) coverages.push_back(group.group().coverage());
  PrintCoverage(console, coverages);
  return kDone;
}

}  // namespace

void AddCompareRecordings(CLI::App& compare, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      AddVerb(compare, "recordings",
              "How well runs' units predict recorded neurons: R2 of a cross-validated regression",
              "sweepctl compare recordings neurons.h5 --sweep p11-small "
              "--by rnn_type,activation,n_epochs");
  verb->add_option("FILE", options->file,
                   "HDF5 file with a dataset of numbers [neurons, n, n]: firing rates by position "
                   "in the networks' box, first index x, second y, n 20, 32 or 44, NaN = never "
                   "visited")
      ->required();
  verb->add_option("--dataset", options->dataset, "Its path in FILE, where FILE has several")
      ->type_name("PATH");
  AddSelectionFlags(*verb, options->where, true);
  verb->add_option("--run", options->run, "This run alone")->type_name("ID");
  verb->add_option("--seed", options->seed, "Of the folds")
      ->type_name("N")
      ->check(WholeNumberFrom(0))
      ->capture_default_str();
  verb->add_flag("--groups", options->groups, "In csv and pipes: the groups instead of the runs");
  verb->add_flag("--neurons", options->neurons, "A row a run and neuron instead");
  session.OnRun(verb, [&session, options] { return Compare(session, *options); });
}

}  // namespace gridsweep::sweepctl
