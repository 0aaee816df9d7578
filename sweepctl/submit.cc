#include <algorithm>
#include <filesystem>
#include <ostream>

#include "common/http_post.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/follow.h"
#include "sweepctl/sweep_summary.h"
#include "sweepctl/sweep_text.h"
#include "sweepctl/verbs.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::sweepctl {
namespace {

struct Options {
  std::string file, file_by_flag, dry_run, name, request_id, notify;
  std::optional<uint64_t> runs;
  bool wait = false;
};

int PrintDryRun(Session& session, const SweepText& text, const v1::ValidateSweepResponse& answer,
                const std::vector<science::RunConfig>& runs) {
  const bool errors =
      PrintNotices(session.console(), text, {answer.notices().begin(), answer.notices().end()});
  const Format format = session.format();
  if (format == Format::kJson || format == Format::kJsonl || format == Format::kYaml) {
    Listing listing;
    listing.document = ToJson(answer);
    listing.items = {*listing.document};
    session.Print(listing);
  } else if (answer.valid()) {
    session.console().out << SummaryText(session.console(), text.file, answer, runs,
                                         kAssumedGflops);
  }
  return errors || !answer.valid() ? kFailed : kDone;
}

absl::StatusOr<int> DryRunAtServer(Session& session, const SweepText& text,
                                   const Options& options) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  v1::ValidateSweepRequest request;
  request.set_yaml(text.yaml);
  request.set_file_name(text.file);
  if (options.runs) request.set_runs(*options.runs);
  ASSIGN_OR_RETURN(const auto answer,
                   client->Call(client->sweeps(), &v1::SweepService::Stub::ValidateSweep, request,
                                absl::Minutes(2)));
  std::vector<science::RunConfig> runs;
  for (const auto& config : answer.first_configs()) {
    ASSIGN_OR_RETURN(auto run, sweepspec::FromProto(config));
    runs.push_back(std::move(run));
  }
  return PrintDryRun(session, text, answer, runs);
}

absl::StatusOr<int> Submit(Session& session, const Options& options) {
  Console& console = session.console();
  if (options.file.empty() == options.file_by_flag.empty()) {
    return UsageError("submit takes one sweep file: sweepctl submit FILE");
  }
  if (!options.dry_run.empty() && options.dry_run != "client" && options.dry_run != "server") {
    return UsageError(StrCat("--dry-run: \"", options.dry_run, "\" is not one of client, server"));
  }
  if (options.request_id.size() > 64) {
    return UsageError("--request-id: has over 64 bytes");
  }
  if (const std::string fault = HttpUrlFault(options.notify);
      !options.notify.empty() && !fault.empty()) {
    return UsageError(StrCat("--notify: \"", options.notify, "\" ", fault));
  }
  ASSIGN_OR_RETURN(
      const SweepText text,
      ReadSweepText(options.file.empty() ? options.file_by_flag : options.file, console));
  if (options.dry_run == "server") return DryRunAtServer(session, text, options);
  // Checked here first, so that a faulty file is shown line by line.
  sweepspec::ExpandOptions expand;
  expand.runs = options.runs;
  const sweepspec::ExpandResult local = sweepspec::ExpandYaml(text.yaml, expand);
  if (options.dry_run == "client") {
    return PrintDryRun(session, text, Summarize(local),
                       local.sweep ? local.sweep->runs : std::vector<science::RunConfig>());
  }
  if (PrintNotices(console, text, local.notices)) {
    console.err << "sweepctl: nothing was submitted\n";
    return kFailed;
  }
  if (local.sweep && local.sweep->needs_run_count) {
    console.err << "sweepctl: " << text.file
                << ": method: random needs a number of runs: run_cap in the file, or --runs N\n";
    return kFailed;
  }
  ASSIGN_OR_RETURN(Client * client, session.Connect(Need::kProgress));
  v1::CreateSweepRequest request;
  request.set_yaml(text.yaml);
  request.set_file_name(text.file);
  request.set_name(options.name);
  if (options.name.empty() && local.sweep && local.sweep->name.empty() && text.file != kStdin) {
    request.set_name(std::filesystem::path(text.file).stem().string());
  }
  request.set_notify_url(options.notify);
  if (options.runs) request.set_runs(*options.runs);
  // Without one, a retry after a lost answer would create the sweep twice.
  request.set_request_id(options.request_id.empty() ? RandomBytes(16) : options.request_id);
  ASSIGN_OR_RETURN(const auto response,
                   client->Call(client->sweeps(), &v1::SweepService::Stub::CreateSweep, request,
                                absl::Minutes(2)));
  const v1::Sweep& sweep = response.sweep();
  Listing listing;
  listing.columns = {{"SWEEP", true}, {"NAME"}, {"METHOD"}, {"RUNS", true}};
  listing.rows = {{Number(sweep.sweep_id()), Text(sweep.name()), Text(sweep.method()),
                   Integer(sweep.counts().total())}};
  listing.document = ToJson(sweep);
  listing.items = {*listing.document};
  listing.names = {std::to_string(sweep.sweep_id())};
  session.Print(listing);
  console.out.flush();
  std::vector<v1::Notice> news;  // what the server alone knows
  for (const v1::Notice& notice : response.notices()) {
    const bool told = std::ranges::any_of(local.notices, [&](const v1::Notice& other) {
      return other.path() == notice.path() && other.message() == notice.message();
    });
    if (!told) news.push_back(notice);
  }
  PrintNotices(console, text, news);
  if (response.already_existed()) {
    console.err << "This request id had created the sweep before; nothing was added.\n";
  }
  if (options.wait) {
    FollowOptions follow;
    follow.to_stderr = true;
    return FollowSweep(session, *client, sweep, follow);
  }
  if (console.out_terminal) {
    console.err << "Follow it with `sweepctl watch " << sweep.sweep_id() << "`.\n";
  }
  return kDone;
}

}  // namespace

void AddSubmit(CLI::App& app, Session& session) {
  CLI::App* verb = AddVerb(app, "submit", "Submit a sweep file",
                           "id=$(sweepctl submit sweep.yaml -o name) && sweepctl wait $id");
  auto options = std::make_shared<Options>();
  verb->add_option("FILE", options->file, "Sweep file; - is standard input");
  verb->add_option("-f,--file", options->file_by_flag, "The same as a flag")->type_name("FILE");
  verb->add_flag("--dry-run{client}", options->dry_run,
                 "Only say what would be done; --dry-run=server asks the server");
  verb->add_option("-n,--runs", options->runs, "Number of random draws, for method: random")
      ->type_name("N");
  verb->add_option("--name", options->name, "Name, instead of the one in the file, or of the file")
      ->type_name("NAME");
  verb->add_option("--request-id", options->request_id,
                   "A repeat with the same id creates nothing new")
      ->type_name("ID");
  verb->add_option("--notify", options->notify,
                   "Address that is posted to once the sweep has ended, instead of the file's")
      ->type_name("URL");
  verb->add_flag("--wait", options->wait, "Follow it to its end, as `watch` does");
  session.OnRun(verb, [&session, options] { return Submit(session, *options); });
}

}  // namespace gridsweep::sweepctl
