#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>

#include <cmath>
#include <filesystem>
#include <ostream>

#include "common/status.h"
#include "common/strings.h"
#include "science/config/parameters.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/file_output.h"
#include "sweepctl/readout_choice.h"
#include "sweepctl/verbs.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::sweepctl {
namespace {

constexpr size_t kMaxReadouts = 256;  // of one call

struct Options {
  std::vector<std::string> words;
  std::optional<uint64_t> runs;
  std::vector<std::string> patterns;
  std::optional<uint32_t> units, steps, lattice, eigenmaps;
  std::optional<double> step_size;
  int64_t pattern_seed = 0;
  std::string out = "theory.png";
  bool no_pictures = false;
};

// "relu", "tanh", "relu-ordered", "tanh-ordered".
v1::PatternDynamics DynamicsOf(const std::string& name, const Options& options) {
  v1::PatternDynamics dynamics;
  dynamics.set_activation(name.substr(0, 4));
  dynamics.set_coupling(name.size() > 4 ? v1::PatternDynamics::COUPLING_ORDERED
                                        : v1::PatternDynamics::COUPLING_ALONE);
  if (options.units) dynamics.set_units(*options.units);
  if (options.steps) dynamics.set_steps(*options.steps);
  if (options.step_size) dynamics.set_step_size(*options.step_size);
  dynamics.set_seed(options.pattern_seed);
  return dynamics;
}

// What one call answered.
struct Answer {
  struct Readout {
    v1::ReadoutTheory theory;
    std::vector<v1::PatternOutcome> patterns;
  };
  std::vector<Readout> readouts;
  std::vector<v1::SkippedReadout> skipped;
  std::vector<std::string> sheets;  // PNG
};

absl::StatusOr<Answer> Ask(Session& session, Client& client,
                           const v1::ReadoutTheoryRequest& request,
                           const std::vector<ReadoutChoice::Readout>& readouts) {
  Console& console = session.console();
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(60)));
  const absl::Time start = absl::Now();
  const auto stream = client.analysis().ReadoutTheory(&context, request);
  Answer answer;
  size_t answered = 0;  // of `readouts`
  v1::ReadoutTheoryResponse part;
  while (stream->Read(&part)) {
    // A request's own configs come back without a number of runs.
    const int64_t runs = answered < readouts.size() ? readouts[answered].runs : 0;
    if (part.has_theory()) {
      auto& theory = answer.readouts.emplace_back().theory;
      theory = std::move(*part.mutable_theory());
      if (runs > 0) theory.set_runs(runs);
      ++answered;
    } else if (part.has_patterns() && !answer.readouts.empty()) {
      answer.readouts.back().patterns.push_back(std::move(*part.mutable_patterns()));
    } else if (part.has_skipped()) {
      answer.skipped.push_back(std::move(*part.mutable_skipped()));
      if (runs > 0) answer.skipped.back().set_runs(runs);
      ++answered;
    } else if (part.has_sheet()) {
      answer.sheets.resize(std::max<size_t>(answer.sheets.size(), part.sheet().sheet() + 1));
      answer.sheets[part.sheet().sheet()] += part.sheet().png_chunk();
    }
    if (console.err_live) {
      console.err << "\r\x1b[2K" << answer.readouts.size() << " readouts" << std::flush;
    }
  }
  if (console.err_live) console.err << "\r\x1b[2K";
  const absl::Status status = FromGrpc(stream->Finish());
  client.Trace("ReadoutTheoryRequest", start, status);
  if (!status.ok()) return client.Explain(status, Server::kAnalysis);
  return answer;
}

std::string RingText(const v1::ReadoutTheory& theory) {
  switch (theory.ring()) {
    case v1::ReadoutTheory::RING_PREDICTED:
      return "yes";
    case v1::ReadoutTheory::RING_WEAK:
      return absl::StrFormat("weak, %.1f%%", 100 * theory.local_maximum().height());
    default:
      return "no";
  }
}

double OrNone(bool present, double value) { return present ? value : std::nan(""); }

Cell AlphaCell(const std::optional<double>& alpha) {
  if (!alpha) return Missing();
  return {absl::StrFormat("%g", *alpha), Real(*alpha).machine};
}

std::vector<Cell> RowOf(const Answer::Readout& readout, const science::RunConfig& config) {
  const v1::ReadoutTheory& t = readout.theory;
  const bool local = t.has_local_maximum();
  std::vector<Cell> cells = {
      Text(t.readout()),
      Text(DrawText(config.place_cell_rf)),
      HasSurround(config.place_field_values) ? Text(DrawText(config.surround_scale)) : Missing(),
      AlphaCell(config.place_cell_alpha_e),
      AlphaCell(config.place_cell_alpha_i),
      Integer(config.Np),
      Integer(t.runs()),
      Text(RingText(t)),
      Real(OrNone(local, t.local_maximum().wavenumber()), 2),
      Real(OrNone(t.has_closed_form(), t.closed_form()), 2),
      Real(OrNone(t.has_published_one_dimensional(), t.published_one_dimensional()), 2),
      Real(OrNone(t.has_wavelength_m(), t.wavelength_m()), 3),
      Real(OrNone(t.has_hexagonal_spacing_m(), t.hexagonal_spacing_m()), 3),
      Real(t.maximum().wavenumber(), 2),
      Real(OrNone(local, t.local_maximum().height()), 4),
      t.has_closed_form() ? Text(t.closed_form_dominates() ? "yes" : "no") : Missing(),
      Real(OrNone(t.has_closed_form_equal_heights(), t.closed_form_equal_heights()), 2),
      Real(OrNone(t.has_closed_form_equal_volumes(), t.closed_form_equal_volumes()), 2)};
  for (int lattice = 0; lattice < 3; ++lattice) {
    const bool some = lattice < t.energies_size();
    cells.push_back(Real(some ? t.energies(lattice).quadratic() : std::nan(""), 3));
    // Rounding is no energy.
    const double cubic = some ? t.energies(lattice).cubic() : std::nan("");
    cells.push_back(Real(std::abs(cubic) < 1e-9 ? 0 : cubic, 3));
  }
  for (const auto& outcome : readout.patterns) {
    for (const int64_t count :
         {outcome.hexagonal(), outcome.square(), outcome.stripes(), outcome.none()}) {
      cells.push_back(Integer(count));
    }
  }
  return cells;
}

absl::StatusOr<Listing> ListingOf(const Answer& answer, const std::vector<std::string>& patterns) {
  Listing listing;
  listing.columns = {{"READOUT"},
                     {"WIDTH M"},
                     {"SURROUND"},
                     {"ALPHA E", true, true},
                     {"ALPHA I", true, true},
                     {"NP", true, true},
                     {"RUNS", true},
                     {"RING"},
                     {"K RAD/M", true},
                     {"CLOSED FORM", true},
                     {"PUBLISHED 1-D", true, false, "published_1d"},
                     {"WAVELENGTH M", true},
                     {"SPACING M", true},
                     {"K OF MAXIMUM", true, true},
                     {"HEIGHT", true, true},
                     {"DOMINATES", false, true},
                     {"EQUAL HEIGHTS", true, true},
                     {"EQUAL VOLUMES", true, true}};
  for (const char* lattice : {"HEXAGONAL", "SQUARE", "STRIPES"}) {
    listing.columns.push_back({StrCat(lattice, " QUADRATIC"), true, true});
    listing.columns.push_back({StrCat(lattice, " CUBIC"), true, true});
  }
  for (const auto& pattern : patterns) {
    for (const char* kind : {"HEXAGONAL", "SQUARE", "STRIPES", "NONE"}) {
      listing.columns.push_back({StrCat(absl::AsciiStrToUpper(pattern), " ", kind), true});
    }
  }
  for (const auto& readout : answer.readouts) {
    ASSIGN_OR_RETURN(const auto config, sweepspec::FromProto(readout.theory.config()));
    listing.rows.push_back(RowOf(readout, config));
    nlohmann::ordered_json item = ToJson(readout.theory);
    // Values of maps are not asked for.
    for (const char* map : {"sigma", "spectrum", "eigenmaps"}) item.erase(map);
    item["patterns"] = nlohmann::ordered_json::array();
    for (const auto& outcome : readout.patterns) {
      item["patterns"].push_back(ToJson(outcome));
      item["patterns"].back().erase("maps");
    }
    listing.items.push_back(std::move(item));
    listing.names.push_back(readout.theory.readout());
  }
  return listing;
}

// "theory.png", then "theory-2.png".
std::string SheetName(const std::string& out, size_t sheet) {
  if (sheet == 0) return out;
  const std::filesystem::path path(out);
  return path.parent_path() /
         StrCat(path.stem().string(), "-", sheet + 1, path.extension().string());
}

absl::StatusOr<int> Theory(Session& session, const Options& options) {
  Console& console = session.console();
  ASSIGN_OR_RETURN(ReadoutChoice choice, ChooseReadouts(console, options.words, options.runs));
  if (choice.readouts.size() > kMaxReadouts) {
    console.err << "note: the first " << kMaxReadouts << " of " << choice.readouts.size()
                << " readouts\n";
    choice.readouts.resize(kMaxReadouts);
  }
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  v1::ReadoutTheoryRequest request;
  for (const auto& readout : choice.readouts) {
    *request.add_configs() = sweepspec::ToProto(readout.config);
  }
  if (!choice.sweep.empty()) {
    ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(choice.sweep));
    request.set_sweep_id(sweep.sweep_id());
  }
  if (options.lattice) request.set_lattice(*options.lattice);
  if (options.eigenmaps) request.set_eigenmaps(*options.eigenmaps);
  for (const auto& name : options.patterns) *request.add_patterns() = DynamicsOf(name, options);
  request.set_with_pictures(!options.no_pictures);
  ASSIGN_OR_RETURN(const Answer answer, Ask(session, *client, request, choice.readouts));
  for (const auto& skipped : answer.skipped) {
    console.err << "note: " << (skipped.readout().empty() ? "" : skipped.readout() + ", ")
                << skipped.runs() << (skipped.runs() == 1 ? " run: " : " runs: ")
                << skipped.reason() << "\n";
  }
  if (answer.readouts.empty()) {
    return absl::InvalidArgumentError("no readout here that the theory covers");
  }
  ASSIGN_OR_RETURN(const Listing listing, ListingOf(answer, options.patterns));
  session.Print(listing);
  for (size_t sheet = 0; sheet < answer.sheets.size(); ++sheet) {
    const std::string name = SheetName(options.out, sheet);
    RETURN_IF_ERROR(WriteFileWhole(name, answer.sheets[sheet]));
    console.err << "Picture: " << name << "\n";
  }
  return kDone;
}

}  // namespace

void AddTheory(CLI::App& app, Session& session) {
  CLI::App* verb =
      AddVerb(app, "theory", "What the theory predicts of readouts, before any network is trained",
              "sweepctl theory sweeps/quickstart.yaml --patterns relu,tanh\n"
              "  sweepctl theory place_field_values=difference_of_gaussians "
              "'place_cell_rf=[0.05, 0.12, 0.2]'\n"
              "  sweepctl theory 3 -o wide --out theory.png");
  auto options = std::make_shared<Options>();
  verb->add_option("WHAT", options->words,
                   "A sweep file (- is standard input), a sweep by id or name, or "
                   "PARAMETER=VALUE..., [A, B] for several values: each distinct readout in it")
      ->required();
  verb->add_option("--patterns", options->patterns,
                   "Grow patterns from noise: relu, tanh (units alone), relu-ordered, tanh-ordered "
                   "(units that inhibit each other; a minute each)")
      ->type_name("KINDS")
      ->expected(1)
      ->take_all()
      ->delimiter(',')
      ->check(CLI::IsMember({"relu", "tanh", "relu-ordered", "tanh-ordered"}));
  verb->add_option("--units", options->units, "Units of a pattern; 32 alone, 64 ordered")
      ->type_name("N");
  verb->add_option("--steps", options->steps, "Steps of a pattern; 1000 alone, 5000 ordered")
      ->type_name("N");
  verb->add_option("--step-size", options->step_size,
                   "Step size of a pattern; 5e-3 (relu) or 1e-4 (tanh) alone, 8e-3 ordered")
      ->type_name("X");
  verb->add_option("--pattern-seed", options->pattern_seed, "Seed of the noise")
      ->type_name("N")
      ->capture_default_str();
  verb->add_option("--lattice", options->lattice, "Points a side of the box; 55")->type_name("N");
  verb->add_option("--eigenvectors", options->eigenmaps, "Leading eigenvectors; 8")->type_name("N");
  verb->add_option("-n,--runs", options->runs, "Number of random draws, for method: random")
      ->type_name("N");
  verb->add_option("--out", options->out,
                   "PNG to write; further ones, of 12 readouts each, get a number")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_flag("--no-pictures", options->no_pictures, "The table alone");
  session.OnRun(verb, [&session, options] { return Theory(session, *options); });
}

}  // namespace gridsweep::sweepctl
