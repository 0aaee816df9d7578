#include "coordinator/background.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "common/log.h"
#include "common/sha256.h"
#include "common/status.h"
#include "coordinator/expiry_guard.h"
#include "coordinator/garbage.h"
#include "coordinator/store/checkpoints.h"
#include "coordinator/store/leases.h"
#include "coordinator/store/reuse.h"
#include "db/libpqxx.h"

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kNotifyPause = absl::Milliseconds(50);
constexpr absl::Duration kAliveEvery = absl::Seconds(5);
constexpr absl::Duration kDropCheckpointsEvery = absl::Minutes(1);
// An upload that has ended is named by its row long before.
constexpr absl::Duration kCheckpointGrace = absl::Minutes(10);
// A second or so: up to 4096 units a run.
constexpr int kReusesAPiece = 64;

class WorkReceiver final : public db::NotificationReceiver {
 public:
  // `own`: the server's process that sends this coordinator's own word, which has been acted on.
  WorkReceiver(pqxx::connection& connection, const WorkAppeared& wake, const std::atomic<int>& own)
      : NotificationReceiver(connection, kWorkChannel), wake_(wake), own_(own) {}
  void operator()(const std::string& payload, int process) override {
    if (process != own_) wake_(FromPayload(payload));
  }

 private:
  const WorkAppeared& wake_;
  const std::atomic<int>& own_;
};

}  // namespace

Background::Background(Settings settings, ProgressBoard& board, ArtifactStore& artifacts,
                       Counters& counters, WorkAppeared wake)
    : settings_(std::move(settings)),
      board_(board),
      artifacts_(artifacts),
      counters_(counters),
      wake_(std::move(wake)),
      upkeep_([this] { Upkeep(); }),
      garbage_([this] { Garbage(); }),
      listen_([this] { Listen(); }),
      notify_([this] { Notify(); }) {}

Background::~Background() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  upkeep_.join();
  garbage_.join();
  listen_.join();
  notify_.join();
}

bool Background::Sleep(absl::Duration duration) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(duration);
  MutexLock lock(mutex_);
  while (!stopping_ && std::chrono::steady_clock::now() < until) changed_.wait_until(mutex_, until);
  return !stopping_;
}

void Background::TellOf(const NewWork& work) {
  wake_(work);
  {
    MutexLock lock(mutex_);
    news_.Add(work);
  }
  changed_.notify_all();
}

void Background::Upkeep() {
  Database database(settings_.database);
  const std::string id = RandomBytes(16);
  ExpiryGuard guard(settings_.lease_ttl, settings_.tick);
  absl::Time next_alive = absl::InfinitePast(), next_expiry = absl::InfinitePast();
  bool failing = false;
  const auto log_tails = [this](int64_t run_id) { return board_.LogTail(run_id); };
  do {
    const bool may_expire = guard.MayExpire(std::chrono::steady_clock::now());
    const bool expire = may_expire && absl::Now() >= next_expiry;
    absl::Status status;
    if (absl::Now() >= next_alive) {
      status = MarkAlive(database, id);
      next_alive = absl::Now() + kAliveEvery;
    }
    if (status.ok()) {
      const absl::Time start = absl::Now();
      const auto upkeep =
          DoUpkeep(database, expire, settings_.lease_ttl, settings_.failures, log_tails);
      status = upkeep.status();
      if (upkeep.ok()) {
        counters_.lease_expired.Increment(static_cast<double>(upkeep->expired.size()));
        for (const EndedLease& ended : upkeep->expired) {
          const LogContext run(ended.run_id, ended.attempt, ended.worker);
          spdlog::warn("run {}: its lease expired", ended.run_id);
          board_.Forget(ended.run_id);
        }
        counters_.Ended(upkeep->expired);
        NewWork work = WorkOf(upkeep->expired);
        work.anywhere = upkeep->due > 0;
        if (work.any()) TellOf(work);
        // Under an old snapshot the leases that ended stay in the table, and the look takes long.
        if (expire) {
          next_expiry =
              absl::Now() + std::min(settings_.lease_ttl / 4, 50 * (absl::Now() - start));
        }
      }
    }
    if (!status.ok()) {
      guard.Failed();
      if (!failing) spdlog::error("upkeep: {}", std::string(status.message()));
    } else if (failing) {
      spdlog::info("upkeep: the database is back");
    }
    failing = !status.ok();
  } while (Sleep(settings_.tick));
}

absl::Status Background::Reuse(Database& database) {
  do {
    ASSIGN_OR_RETURN(const Reused reused, ReuseResults(database, kReusesAPiece));
    if (reused.queued > 0) TellOf({.anywhere = true});
    if (reused.looked_at == 0) return absl::OkStatus();
  } while (Sleep(absl::ZeroDuration()));
  return absl::OkStatus();
}

void Background::Garbage() {
  Database database(settings_.database);
  absl::Time next_checkpoints = absl::InfinitePast(), next_count = absl::InfinitePast();
  do {
    if (absl::Status status = Reuse(database); !status.ok() && !absl::IsUnavailable(status)) {
      spdlog::error("reusing results: {}", std::string(status.message()));
    }
    absl::Status status = CollectGarbage(database, artifacts_, settings_.tick);
    if (status.ok() && absl::Now() >= next_checkpoints) {
      status = DropCheckpoints(database, kCheckpointGrace).status();
      next_checkpoints = absl::Now() + kDropCheckpointsEvery;
    }
    if (status.ok() && absl::Now() >= next_count) {
      const absl::Time start = absl::Now();
      const auto runs = CountRuns(database);
      status = runs.status();
      if (runs.ok()) counters_.Show(*runs);
      // However many runs there are: at most a hundredth of a connection.
      next_count = absl::Now() + std::max(settings_.count_every, 100 * (absl::Now() - start));
    }
    // Upkeep says when the database is away.
    if (!status.ok() && !absl::IsUnavailable(status)) {
      spdlog::error("collecting garbage: {}", std::string(status.message()));
    }
  } while (Sleep(settings_.tick));
}

void Background::Listen() {
  Database database(settings_.database);
  for (;;) {
    try {
      const auto connection = database.Connection();
      if (connection.ok()) {
        WorkReceiver receiver(**connection, wake_, notifies_);
        do {
          (*connection)->await_notification(0, 200'000);
        } while ((*connection)->is_open() && Sleep(absl::ZeroDuration()));
      }
    } catch (const std::exception& e) {
      // The matcher's poll stands in until the connection is back.
      spdlog::warn("listening for work: {}", e.what());
    }
    database.Drop();
    if (!Sleep(absl::Seconds(1))) return;
  }
}

void Background::Notify() {
  Database database(settings_.database);
  for (;;) {
    NewWork news;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !news_.any()) changed_.wait(mutex_);
      if (stopping_) return;
      news = std::exchange(news_, {});
    }
    // Lost word is no harm: the others poll.
    if (const auto connection = database.Connection(); connection.ok()) {
      notifies_ = (*connection)->backendpid();
      (void)NotifyWork(database, news);
    }
    if (!Sleep(kNotifyPause)) return;
  }
}

}  // namespace gridsweep::coordinator
