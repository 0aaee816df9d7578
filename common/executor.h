// A lane: a bounded queue of work and the few threads that do it. Servers hand
// work to lanes so that no gRPC thread ever waits for a database or a disk.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"

namespace gridsweep {

class Executor {
 public:
  // Starts `threads` threads. At most `capacity` items wait.
  Executor(std::string name, int threads, size_t capacity);
  // Refuses new work, finishes what was accepted, joins.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Queues `work`; false, at once, when the lane is full or shutting down.
  // `work` gets the index of its thread, 0 .. threads-1, so that each thread
  // can own a resource such as a connection. It must not throw.
  [[nodiscard]] bool Submit(std::function<void(int thread)> work) LOCKS_EXCLUDED(mutex_);

  int threads() const { return static_cast<int>(threads_.size()); }
  const std::string& name() const { return name_; }

 private:
  void Loop(int thread) LOCKS_EXCLUDED(mutex_);

  const std::string name_;
  const size_t capacity_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void(int)>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace gridsweep
