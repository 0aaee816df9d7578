#include "common/executor.h"

#include <algorithm>
#include <utility>

namespace gridsweep {

Executor::Executor(std::string name, int threads, size_t capacity, int spared)
    : name_(std::move(name)), capacity_(capacity), most_running_(std::max(1, threads - spared)) {
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

bool Executor::Submit(std::function<void(int)> work, const std::string& client) {
  {
    MutexLock lock(mutex_);
    if (stopping_ || waiting_ >= capacity_) return false;
    auto& waiting = clients_[client].waiting;
    if (waiting.empty()) turns_.push_back(client);
    waiting.push_back(std::move(work));
    ++waiting_;
  }
  wake_.notify_one();
  return true;
}

Executor::Clients::iterator Executor::Next() {
  for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
    const auto client = clients_.find(*turn);
    if (!client->first.empty() && client->second.running >= most_running_) continue;
    turns_.erase(turn);
    return client;
  }
  return clients_.end();
}

void Executor::Loop(int thread) {
  for (;;) {
    Clients::iterator client;
    std::function<void(int)> work;
    {
      MutexLock lock(mutex_);
      while ((client = Next()) == clients_.end()) {
        if (stopping_ && waiting_ == 0) return;
        wake_.wait(mutex_);
      }
      auto& [name, its] = *client;
      work = std::move(its.waiting.front());
      its.waiting.pop_front();
      --waiting_;
      ++its.running;
      if (!its.waiting.empty()) turns_.push_back(name);
    }
    work(thread);
    work = nullptr;
    MutexLock lock(mutex_);
    Client& its = client->second;
    --its.running;
    if (its.running == 0 && its.waiting.empty()) clients_.erase(client);
    // What had to wait for this may begin; at the end the others have nothing to wait for any more.
    if (!turns_.empty() || stopping_) wake_.notify_all();
  }
}

}  // namespace gridsweep
