// Ends statements whose callers have gone: a call that nobody waits for any more would keep its
// thread, and the database, for as long as a statement may take.
#pragma once

#include <functional>
#include <list>
#include <pqxx/pqxx>
#include <thread>

#include "common/mutex.h"

namespace gridsweep::analysis {

class QueryWatch {
 public:
  QueryWatch();
  ~QueryWatch();
  QueryWatch(const QueryWatch&) = delete;
  QueryWatch& operator=(const QueryWatch&) = delete;

 private:
  struct Query {
    pqxx::connection& connection;
    std::function<bool()> gone;
  };

 public:
  // Within its life, statements on `connection` are cancelled soon after `gone`, which any thread
  // may call, is true. Both outlive it.
  class Watched {
   public:
    Watched(QueryWatch& watch, pqxx::connection& connection, std::function<bool()> gone);
    ~Watched();
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

   private:
    QueryWatch& watch_;
    std::list<Query>::iterator query_;
  };

 private:
  void Loop() LOCKS_EXCLUDED(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::list<Query> queries_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gridsweep::analysis
