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
#include "coordinator/store/leases.h"
#include "coordinator/store/reuse.h"
#include "db/libpqxx.h"

namespace gridsweep::coordinator {
namespace {

using Clock = std::chrono::steady_clock;

constexpr absl::Duration kNotifyPause = absl::Milliseconds(50);
constexpr absl::Duration kAliveEvery = absl::Seconds(5);
constexpr int kLeasesAPiece = 1000;
constexpr int kDueAPiece = 10'000;
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
  const absl::Duration alive_every =
      std::max(settings_.tick, std::min(kAliveEvery, settings_.lease_ttl / 4));
  ExpiryGuard guard(settings_.lease_ttl, settings_.tick);
  PieceSize expiries("ending leases", kLeasesAPiece, counters_.BackgroundTimeouts("expire_leases"));
  PieceSize dues("queueing runs", kDueAPiece, counters_.BackgroundTimeouts("queue_due_runs"));
  Clock::time_point next_alive, next_expiry;
  bool failing = false;
  do {
    if (!settings_.ready()) guard.Failed();
    const auto start = Clock::now();
    const auto database_now = DatabaseTime(database);
    absl::Status status = database_now.status();
    if (status.ok() && start >= next_alive) {
      status = MarkAlive(database, id, alive_every);
      next_alive = start + absl::ToChronoNanoseconds(alive_every);
    }
    if (status.ok()) {
      const auto heard = Clock::now();
      const bool may = guard.MayExpire(heard, *database_now, absl::FromChrono(heard - start));
      if (may && heard >= next_expiry) {
        status = Expire(database, expiries, *database_now);
        // Under an old snapshot the leases that ended stay in the table, and the look takes long.
        const absl::Duration took = absl::FromChrono(Clock::now() - heard);
        next_expiry = Clock::now() +
                      absl::ToChronoNanoseconds(std::min(settings_.lease_ttl / 4, 50 * took));
      }
    }
    if (status.ok()) status = QueueDue(database, dues);
    if (!status.ok()) {
      guard.Failed();
      if (!failing) spdlog::error("upkeep: {}", std::string(status.message()));
    } else if (failing) {
      spdlog::info("upkeep: the database is back");
    }
    failing = !status.ok();
  } while (Sleep(settings_.tick));
  (void)MarkEnded(database, id);  // else it counts as lost for a while, and costs nothing but time
}

absl::Status Background::Expire(Database& database, PieceSize& piece, absl::Time database_now) {
  const auto log_tails = [this](int64_t run_id) { return board_.LogTail(run_id); };
  for (;;) {
    const auto expired = piece.Do([&](int n) {
      return ExpireLeases(database, settings_.lease_ttl, settings_.failures, log_tails,
                          database_now, n);
    });
    // That it took too long is no outage: a smaller piece is next.
    if (TimedOut(expired.status())) return absl::OkStatus();
    RETURN_IF_ERROR(expired.status());
    if (expired->empty()) return absl::OkStatus();
    counters_.lease_expired.Increment(static_cast<double>(expired->size()));
    for (const EndedLease& ended : *expired) {
      const LogContext run(ended.run_id, ended.attempt, ended.worker);
      spdlog::warn("run {}: its lease expired", ended.run_id);
      board_.Forget(ended.run_id);
    }
    counters_.Ended(*expired);
    TellOf(WorkOf(*expired));
  }
}

absl::Status Background::QueueDue(Database& database, PieceSize& piece) {
  for (;;) {
    const auto due = piece.Do([&](int n) { return QueueDueRuns(database, n); });
    if (TimedOut(due.status())) return absl::OkStatus();
    RETURN_IF_ERROR(due.status());
    if (*due == 0) return absl::OkStatus();
    TellOf({.anywhere = true});
  }
}

absl::Status Background::Reuse(Database& database, PieceSize& piece) {
  do {
    ASSIGN_OR_RETURN(const Reused reused,
                     piece.Do([&](int n) { return ReuseResults(database, n); }));
    if (reused.queued > 0) TellOf({.anywhere = true});
    if (reused.looked_at == 0) return absl::OkStatus();
  } while (Sleep(absl::ZeroDuration()));
  return absl::OkStatus();
}

void Background::Garbage() {
  Database database(settings_.database);
  GarbageCollector garbage(database, artifacts_, counters_, settings_.artifact_grace);
  PieceSize reuses("reusing results", kReusesAPiece, counters_.BackgroundTimeouts("reuse"));
  PieceSize counts("counting runs", 1, counters_.BackgroundTimeouts("count_runs"));
  auto next_count = Clock::now();
  // Upkeep says when the database is away, and a PieceSize what takes too long.
  const auto tell = [](const char* work, const absl::Status& status) {
    if (status.ok() || absl::IsUnavailable(status)) return;
    spdlog::error("{}: {}", work, std::string(status.message()));
  };
  do {
    tell("reusing results", Reuse(database, reuses));
    tell("collecting garbage", garbage.Collect(settings_.tick));
    if (const auto start = Clock::now(); start >= next_count) {
      const auto runs = counts.Do([&](int) { return CountRuns(database); });
      tell("counting runs", runs.status());
      if (runs.ok()) counters_.Show(*runs);
      // However many runs there are: at most a hundredth of a connection.
      const absl::Duration took = absl::FromChrono(Clock::now() - start);
      next_count = Clock::now() +
                   absl::ToChronoNanoseconds(std::max(settings_.count_every, 100 * took));
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
