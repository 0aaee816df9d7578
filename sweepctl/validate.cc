#include <absl/strings/str_format.h>

#include <ostream>

#include "common/status.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/number_check.h"
#include "sweepctl/sweep_summary.h"
#include "sweepctl/sweep_text.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

struct Options {
  std::vector<std::string> files;
  std::optional<uint64_t> runs;
  double gflops = kAssumedGflops;
};

absl::StatusOr<int> Validate(Session& session, const Options& options) {
  Console& console = session.console();
  Listing listing;
  listing.columns = {{"FILE"},           {"VALID"},      {"RUNS", true},      {"COLLAPSED", true},
                     {"EXCLUDED", true}, {"FLOP", true}, {"CORE HOURS", true}};
  size_t invalid = 0;
  uint64_t runs = 0;
  double flop = 0;
  const Format format = session.format();
  const bool prose = format == Format::kTable || format == Format::kWide ||
                     (format == Format::kAuto && console.out_terminal);
  for (const auto& file : options.files) {
    const auto text = ReadSweepText(file, console);
    if (!text.ok()) {
      // The other files are still worth an answer.
      if (options.files.size() == 1) return text.status();
      PrintError(console, text.status());
      ++invalid;
      continue;
    }
    sweepspec::ExpandOptions expand;
    expand.runs = options.runs;
    const sweepspec::ExpandResult result = sweepspec::ExpandYaml(text->yaml, expand);
    const v1::ValidateSweepResponse answer = Summarize(result);
    PrintNotices(console, *text, result.notices);
    if (!answer.valid()) ++invalid;
    runs += answer.run_count();
    flop += answer.total_flop();
    if (prose) {
      if (answer.valid()) {
        console.out << SummaryText(console, text->file, answer, result.sweep->runs, options.gflops);
      }
      continue;
    }
    const double hours = answer.total_flop() / (options.gflops * 1e9) / 3600;
    listing.rows.push_back({Text(text->file), Text(answer.valid() ? "yes" : "no"),
                            Integer(static_cast<int64_t>(answer.run_count())),
                            Integer(static_cast<int64_t>(answer.collapsed())),
                            Integer(static_cast<int64_t>(answer.excluded())),
                            Real(answer.total_flop()), Real(hours)});
    nlohmann::ordered_json item = {{"file", text->file}};
    item.update(ToJson(answer));
    item["core_hours"] = hours;
    item["assumed_gflops"] = options.gflops;
    listing.items.push_back(item);
    listing.names.push_back(text->file);
  }
  if (!prose) session.Print(listing);
  if (prose && options.files.size() > 1) {
    console.out << absl::StrFormat("Together: %s runs, %.3g flop, %s on one core\n",
                                   WithCommas(static_cast<int64_t>(runs)), flop,
                                   CostText(flop / (options.gflops * 1e9)));
  }
  if (invalid > 0 && options.files.size() > 1) {
    console.err << "sweepctl: " << invalid << " of " << options.files.size()
                << " files are not valid\n";
  }
  return invalid > 0 ? kFailed : kDone;
}

}  // namespace

void AddValidate(CLI::App& app, Session& session) {
  CLI::App* verb = AddVerb(app, "validate", "Check sweep files, without a server: runs and cost",
                           "sweepctl validate sweeps/*.yaml");
  auto options = std::make_shared<Options>();
  verb->add_option("FILE", options->files, "Sweep files; - is standard input")->required();
  verb->add_option("-n,--runs", options->runs, "Number of random draws, for method: random")
      ->type_name("N");
  verb->add_option("--gflops", options->gflops, "Assumed training speed of one core, Gflop/s")
      ->type_name("X")
      ->check(PositiveReal())
      ->capture_default_str();
  session.OnRun(verb, [&session, options] { return Validate(session, *options); });
}

}  // namespace gridsweep::sweepctl
