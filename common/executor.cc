#include "common/executor.h"

#include <utility>

namespace gridsweep {

Executor::Executor(std::string name, int threads, size_t capacity)
    : name_(std::move(name)), capacity_(capacity) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, i] { Loop(i); });
}

Executor::~Executor() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool Executor::Submit(std::function<void(int)> work) {
  {
    MutexLock lock(mutex_);
    if (stopping_ || queue_.size() >= capacity_) return false;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void Executor::Loop(int thread) {
  for (;;) {
    std::function<void(int)> work;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) wake_.wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work(thread);
  }
}

}  // namespace gridsweep
