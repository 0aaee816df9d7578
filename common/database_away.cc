#include "common/database_away.h"

#include <absl/time/clock.h>

#include "common/log.h"
#include "common/mutex.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kSayAgain = absl::Minutes(1);

struct Said {
  Mutex mutex;
  std::string why GUARDED_BY(mutex);
  absl::Time at GUARDED_BY(mutex) = absl::InfinitePast();
};

// Whether it is news. One for the process: its threads lose the same database.
bool IsNews(const std::string& why) {
  static Said* const said = new Said;
  MutexLock lock(said->mutex);
  if (why == said->why && absl::Now() - said->at < kSayAgain) return false;
  said->why = why;
  said->at = absl::Now();
  return true;
}

}  // namespace

absl::Status DatabaseAway(const std::string& why) {
  if (IsNews(why)) spdlog::warn("the database cannot be reached: {}", why);
  return absl::UnavailableError("the database cannot be reached; this server's log says why");
}

}  // namespace gridsweep
