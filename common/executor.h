// A lane: a bounded queue of work and the few threads that do it. Servers hand
// work to lanes so that no gRPC thread ever waits for a database or a disk.
// Clients take turns: what one has queued never waits for all that another has.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"

namespace gridsweep {

class Executor {
 public:
  // Starts `threads` threads. At most `capacity` items wait. One client has all threads but
  // `spared` at most, and one at least: what others ask then waits for none of its work.
  Executor(std::string name, int threads, size_t capacity, int spared = 0);
  // Refuses new work, finishes what was accepted, joins.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Queues `work`; false, at once, when the lane is full or shutting down.
  // `work` gets the index of its thread, 0 .. threads-1, so that each thread
  // can own a resource such as a connection. It must not throw.
  // Work of one client is begun in order. "" is nobody in particular, who may have all threads.
  [[nodiscard]] bool Submit(std::function<void(int thread)> work, const std::string& client = "")
      LOCKS_EXCLUDED(mutex_);

  int threads() const { return static_cast<int>(threads_.size()); }
  const std::string& name() const { return name_; }

 private:
  struct Client {
    std::deque<std::function<void(int)>> waiting;
    int running = 0;
  };
  using Clients = std::map<std::string, Client>;

  void Loop(int thread) LOCKS_EXCLUDED(mutex_);
  // Whose turn it is; end() where nothing may begin.
  Clients::iterator Next() REQUIRES(mutex_);

  const std::string name_;
  const size_t capacity_;
  const int most_running_;  // of one client
  Mutex mutex_;
  CondVar wake_;
  Clients clients_ GUARDED_BY(mutex_);                // those with work
  std::deque<std::string> turns_ GUARDED_BY(mutex_);  // those with work that waits
  size_t waiting_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace gridsweep
