// How many calls each client has in flight.
#pragma once

#include <absl/status/status.h>

#include <map>
#include <string>
#include <utility>

#include "common/mutex.h"
#include "common/status.h"
#include "common/strings.h"

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

  // One call's place, given up by the destructor.
  class Place {
   public:
    Place(ClientLimit& limit, std::string client)
        : limit_(limit), client_(std::move(client)), taken_(limit.Enter(client_)) {}
    ~Place() {
      if (taken_) limit_.Leave(client_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // False where the client has as many as it may.
    bool taken() const { return taken_; }
    const std::string& client() const { return client_; }

   private:
    ClientLimit& limit_;
    const std::string client_;
    const bool taken_;
  };

  // RESOURCE_EXHAUSTED with RetryInfo: what a client hears that is not let in.
  absl::Status TooMany() const {
    return WithRetryAfter(
        absl::ResourceExhaustedError(
            StrCat("this client has ", most_, " calls in flight; wait for some of them")),
        absl::Seconds(1));
  }

 private:
  const int most_;
  Mutex mutex_;
  std::map<std::string, int> calls_ GUARDED_BY(mutex_);
};

}  // namespace gridsweep
