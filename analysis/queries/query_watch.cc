#include "analysis/queries/query_watch.h"

#include <chrono>
#include <exception>

namespace gridsweep::analysis {
namespace {

constexpr auto kEvery = std::chrono::milliseconds(100);

}  // namespace

QueryWatch::QueryWatch() : thread_([this] { Loop(); }) {}

QueryWatch::~QueryWatch() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

QueryWatch::Watched::Watched(QueryWatch& watch, pqxx::connection& connection,
                             std::function<bool()> gone)
    : watch_(watch) {
  {
    MutexLock lock(watch_.mutex_);
    query_ = watch_.queries_.insert(watch_.queries_.end(), {connection, std::move(gone)});
  }
  watch_.changed_.notify_all();
}

QueryWatch::Watched::~Watched() {
  // Waits for a cancellation that is under way: it must not meet the connection's next statement.
  MutexLock lock(watch_.mutex_);
  watch_.queries_.erase(query_);
}

void QueryWatch::Loop() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (queries_.empty()) {
      changed_.wait(mutex_);
      continue;
    }
    changed_.wait_for(mutex_, kEvery);
    for (Query& query : queries_) {
      if (!query.gone()) continue;
      try {
        query.connection.cancel_query();
      } catch (const std::exception&) {
        // The server is away: so is the statement.
      }
    }
  }
}

}  // namespace gridsweep::analysis
