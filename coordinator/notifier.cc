#include "coordinator/notifier.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "common/http_post.h"
#include "common/log.h"
#include "common/status.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kSweepsAtOnce = 10;
constexpr absl::Duration kLongestPause = absl::Minutes(10);
constexpr absl::Duration kGiveUp = absl::Hours(24);
constexpr absl::Duration kKeep = absl::Hours(24 * 30);
constexpr absl::Duration kDropEvery = absl::Hours(1);

}  // namespace

Notifier::Notifier(Database::Settings database, Settings settings)
    : settings_(settings), database_(std::move(database)) {
  threads_.emplace_back([this] { Loop(/*writes=*/true); });
  for (int i = 0; i < settings.posters; ++i) {
    threads_.emplace_back([this] { Loop(/*writes=*/false); });
  }
}

Notifier::~Notifier() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Notifier::Stopping() {
  MutexLock lock(mutex_);
  return stopping_;
}

void Notifier::Loop(bool writes) {
  Database database(database_);
  absl::Time next_drop = absl::InfinitePast();
  for (;;) {
    absl::Status status =
        writes ? WriteNotices(database, kSweepsAtOnce).status() : Deliver(database);
    if (status.ok() && writes && absl::Now() >= next_drop) {
      status = DropNotices(database, kKeep);
      next_drop = absl::Now() + kDropEvery;
    }
    // Upkeep says when the database is away.
    if (!status.ok() && (!absl::IsUnavailable(status) || TimedOut(status))) {
      spdlog::error("notices of ended sweeps: {}", std::string(status.message()));
    }
    const auto until =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(settings_.look_every);
    MutexLock lock(mutex_);
    while (!stopping_ && std::chrono::steady_clock::now() < until) wake_.wait_until(mutex_, until);
    if (stopping_) return;
  }
}

absl::Status Notifier::Deliver(Database& database) {
  while (!Stopping()) {
    ASSIGN_OR_RETURN(const auto notice, TakeNotice(database, settings_.hold));
    if (!notice) break;
    const absl::Status posted = PostJson(notice->url, notice->body, settings_.post_timeout);
    if (posted.ok()) {
      RETURN_IF_ERROR(MarkDelivered(database, *notice));
      spdlog::info("sweep {} has ended: its address was told", notice->sweep_id);
      continue;
    }
    const std::string why(posted.message());
    const absl::Duration pause =
        std::min(kLongestPause, settings_.first_pause * std::exp2(std::min(notice->tries - 1, 20)));
    ASSIGN_OR_RETURN(const bool given_up, MarkUndelivered(database, *notice, why, pause, kGiveUp));
    if (given_up) {
      spdlog::error("sweep {} has ended, and its address could not be told in a day: {}",
                    notice->sweep_id, why);
    } else {
      spdlog::warn("sweep {} has ended; telling its address failed ({} tries): {}; again in {}",
                   notice->sweep_id, notice->tries, why, absl::FormatDuration(pause));
    }
  }
  return absl::OkStatus();
}

}  // namespace gridsweep::coordinator
