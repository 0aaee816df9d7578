#include "sweepctl/follow.h"

#include <atomic>
#include <condition_variable>
#include <ostream>
#include <thread>

#include "common/mutex.h"
#include "common/printable.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/progress_view.h"
#include "sweepctl/shortage.h"

namespace gridsweep::sweepctl {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);
constexpr absl::Duration kCrashCheck = absl::Seconds(2);

// Looks after the local instance while the stream is being read, and cancels
// the call when a piece has died: otherwise it would wait for ever.
class CrashWatch {
 public:
  CrashWatch(const Session& session, grpc::ClientContext& context)
      : thread_([this, &session, &context] {
          MutexLock lock(mutex_);
          while (!stop_) {
            wake_.wait_for(mutex_, absl::ToChronoMilliseconds(kCrashCheck));
            if (stop_) return;
            report_ = session.LocalCrash();
            if (!report_.empty()) {
              context.TryCancel();
              return;
            }
          }
        }) {}
  // Ends the watch; the crash that it saw, or "".
  std::string Stop() {
    {
      MutexLock lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    return report_;
  }
  ~CrashWatch() { Stop(); }

 private:
  Mutex mutex_;
  CondVar wake_;
  bool stop_ = false;
  std::string report_;
  std::thread thread_;
};

// What the sweep waits for where runs could be trained and none is, or "".
std::string Lacking(Client& client, const v1::Sweep& sweep, const v1::RunCounts& counts) {
  if (counts.pending() == 0 || counts.leased() > 0) return "";
  return AskShortage(client, sweep.settings()).value_or("");
}

}  // namespace

absl::StatusOr<int> FollowSweep(Session& session, Client& client, const v1::Sweep& sweep,
                                const FollowOptions& options) {
  Console& console = session.console();
  std::ostream& out = options.to_stderr ? console.err : console.out;
  const std::string title =
      StrCat("sweep ", sweep.sweep_id(), sweep.name().empty() ? "" : " " + sweep.name());
  ProgressView view(console, out, options.to_stderr ? console.err_live : console.out_live, title);
  const absl::Time deadline = absl::Now() + options.timeout;
  absl::Time last_heard = absl::Now();
  v1::WatchSweepRequest request;
  request.set_sweep_id(sweep.sweep_id());
  v1::WatchSweepResponse update;
  v1::RunCounts counts = sweep.counts();
  std::string lacks;
  while (true) {
    grpc::ClientContext context;
    if (deadline != absl::InfiniteFuture()) context.set_deadline(absl::ToChronoTime(deadline));
    const absl::Time start = absl::Now();
    CrashWatch crash_watch(session, context);
    const auto stream = client.sweeps().WatchSweep(&context, request);
    bool done = false;
    while (stream->Read(&update)) {
      last_heard = absl::Now();
      counts = update.counts();
      done = update.done();
      if (!options.quiet) view.Show(update, last_heard);
      const std::string now_lacks = Lacking(client, sweep, counts);
      if (!now_lacks.empty() && now_lacks != lacks) {
        const std::string note = StrCat(title, " waits for ", now_lacks);
        if (options.quiet) {
          console.err << note << std::endl;
        } else {
          view.Say(note);
        }
      }
      lacks = now_lacks;
    }
    const absl::Status status = FromGrpc(stream->Finish());
    client.Trace("WatchSweepRequest", start, status);
    if (const std::string crash = crash_watch.Stop(); !crash.empty()) {
      view.Finish(absl::Now());
      return absl::InternalError(crash);
    }
    if (status.ok() && done) break;
    if (absl::Now() >= deadline || status.code() == absl::StatusCode::kDeadlineExceeded) {
      view.Finish(absl::Now());
      return absl::DeadlineExceededError(StrCat(title, " has not ended in ",
                                                Span(absl::ToDoubleSeconds(options.timeout)), ": ",
                                                CountsText(counts)));
    }
    // It cuts off who reads nothing for a minute, as while this program was stopped.
    if (absl::IsCancelled(status)) last_heard = absl::Now();
    // A server that drains ends its streams; another, or its successor, goes on.
    const bool lost = status.ok() || absl::IsUnavailable(status) || absl::IsCancelled(status);
    if (!lost || absl::Now() - last_heard > kPatience) {
      view.Finish(absl::Now());
      return status.ok() ? absl::UnavailableError("the stream of progress ended too early")
                         : client.Explain(status, Server::kCoordinator);
    }
    absl::SleepFor(absl::Seconds(1));
  }
  view.Finish(absl::Now());
  if (options.quiet) console.err << Printable(title) << ": " << CountsText(counts) << "\n";
  return counts.failed() > 0 ? kSomeRunsFailed : kDone;
}

}  // namespace gridsweep::sweepctl
