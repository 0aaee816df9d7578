// Tells web addresses of sweeps that have ended.
#pragma once

#include <absl/time/time.h>

#include <thread>
#include <vector>

#include "common/mutex.h"
#include "coordinator/store/database.h"
#include "coordinator/store/notices.h"

namespace gridsweep::coordinator {

// Threads of its own: one looks for ended sweeps, the others post notices that are due, so that an
// address which takes its time holds up none of the rest. Any number of coordinators may do so: the
// database hands each notice to one of their threads at a time. A
// notice that is not answered with 2xx is tried again after a pause that doubles up to ten
// minutes, for a day. One that is answered just before its coordinator dies is posted again.
class Notifier {
 public:
  struct Settings {
    absl::Duration look_every = absl::Seconds(2);
    absl::Duration first_pause = absl::Seconds(5);  // after a failure
    absl::Duration hold = absl::Seconds(30);        // how long one thread has a notice
    absl::Duration post_timeout = absl::Seconds(5); // for one try, all of it
    int posters = 4;                                // threads, each with a connection
  };
  Notifier(Database::Settings database, Settings settings);
  ~Notifier();

 private:
  // One thread's: `writes` notices or posts them.
  void Loop(bool writes) LOCKS_EXCLUDED(mutex_);
  // Posts what is due.
  absl::Status Deliver(Database& database) LOCKS_EXCLUDED(mutex_);
  bool Stopping() LOCKS_EXCLUDED(mutex_);

  const Settings settings_;
  const Database::Settings database_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace gridsweep::coordinator
