// How many calls each client has in flight.
#pragma once

#include <map>
#include <string>

#include "common/mutex.h"

namespace gridsweep {

class ClientLimit {
 public:
  // At most `most` calls a client; 0: no limit.
  explicit ClientLimit(int most) : most_(most) {}

  // False where the client has `most` already; else Leave must follow.
  [[nodiscard]] bool Enter(const std::string& client) LOCKS_EXCLUDED(mutex_) {
    if (most_ == 0) return true;
    MutexLock lock(mutex_);
    int& calls = calls_[client];
    if (calls >= most_) return false;
    ++calls;
    return true;
  }
  void Leave(const std::string& client) LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    const auto found = calls_.find(client);
    if (found != calls_.end() && --found->second == 0) calls_.erase(found);
  }
  int most() const { return most_; }

 private:
  const int most_;
  Mutex mutex_;
  std::map<std::string, int> calls_ GUARDED_BY(mutex_);
};

}  // namespace gridsweep
