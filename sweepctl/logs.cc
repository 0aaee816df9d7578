// logs RUN.
#include <ostream>

#include "common/line_overlap.h"
#include "common/printable.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);

struct Options {
  std::string run;
  int attempt = 0;  // 0 = all
  bool follow = false;
};

// Writes what a stream tells, once: a stream that is opened anew begins at the beginning.
class Printer {
 public:
  Printer(Console& console, int only) : console_(console), only_(only) {}

  void Print(const v1::StreamLogsResponse& message) {
    if (only_ != 0 && message.attempt() != only_) return;
    if (message.attempt() < attempt_) return;
    if (message.attempt() > attempt_) {
      attempt_ = message.attempt();
      told_.clear();
      if (only_ == 0) {
        console_.err << "attempt " << attempt_ << " on " << Printable(message.worker()) << "\n";
      }
    }
    const std::vector<std::string> lines(message.lines().begin(), message.lines().end());
    for (size_t i = reopened_ ? LineOverlap(told_, lines) : 0; i < lines.size(); ++i) {
      console_.out << Printable(lines[i]) << "\n";
      told_.push_back(lines[i]);
    }
    reopened_ = false;
    console_.out.flush();
  }
  void Reopen() { reopened_ = true; }

  int attempt() const { return attempt_; }
  bool any() const { return !told_.empty(); }

 private:
  Console& console_;
  const int only_;
  int attempt_ = 0;
  std::vector<std::string> told_;  // of that attempt
  bool reopened_ = false;
};

absl::StatusOr<int> Logs(Session& session, const Options& options) {
  const auto run_id = ParseId(options.run);
  if (!run_id) return UsageError(StrCat("\"", options.run, "\" is no run's id"));
  if (options.attempt < 0) return UsageError("--attempt: counts from 1");
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  v1::StreamLogsRequest request;
  request.set_run_id(*run_id);
  request.set_follow(options.follow);
  Printer printer(session.console(), options.attempt);
  absl::Time last_heard = absl::Now();
  int newest = 0;
  for (;;) {
    grpc::ClientContext context;
    // A follower waits for as long as the run takes.
    if (!options.follow) context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    const absl::Time start = absl::Now();
    const auto stream = client->sweeps().StreamLogs(&context, request);
    v1::StreamLogsResponse message;
    while (stream->Read(&message)) {
      last_heard = absl::Now();
      newest = std::max(newest, message.attempt());
      printer.Print(message);
      // What was asked for has ended.
      if (options.attempt != 0 && newest > options.attempt) context.TryCancel();
    }
    const absl::Status status = FromGrpc(stream->Finish());
    client->Trace("StreamLogsRequest", start, status);
    if (status.ok() || (options.attempt != 0 && newest > options.attempt)) break;
    // It cuts off who reads nothing for a minute, as while a pager shows what has come.
    if (absl::IsCancelled(status)) last_heard = absl::Now();
    // A server that drains ends its streams; another, or its successor, goes on.
    if (!options.follow || !(absl::IsUnavailable(status) || absl::IsCancelled(status)) ||
        absl::Now() - last_heard > kPatience) {
      return client->Explain(status, Server::kCoordinator);
    }
    printer.Reopen();
    absl::SleepFor(absl::Seconds(1));
  }
  if (options.attempt != 0 && printer.attempt() == 0) {
    return absl::NotFoundError(
        StrCat("run ", *run_id, " has no attempt ", options.attempt,
               newest == 0 ? std::string("; it has none yet") : StrCat("; its last is ", newest)));
  }
  if (printer.attempt() == 0) {
    session.console().err << "Run " << *run_id << " has not been started yet.\n";
  } else if (!printer.any()) {
    session.console().err << "Attempt " << printer.attempt() << " has logged nothing.\n";
  }
  return kDone;
}

}  // namespace

void AddLogs(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      AddVerb(app, "logs", "Print what a run's workers have logged", "sweepctl logs 17 -f");
  verb->add_option("RUN", options->run, "Id of the run")->required();
  verb->add_flag("-f,--follow", options->follow, "Go on with new lines until the run has ended");
  verb->add_option("--attempt", options->attempt, "Only this attempt, counted from 1; default: all")
      ->type_name("N");
  session.OnRun(verb, [&session, options] { return Logs(session, *options); });
}

}  // namespace gridsweep::sweepctl
