// Tells web addresses of sweeps that have ended.
#pragma once

#include <absl/time/time.h>

#include <thread>

#include "common/mutex.h"
#include "coordinator/store/database.h"
#include "coordinator/store/notices.h"

namespace gridsweep::coordinator {

// A thread of its own: looks for ended sweeps and for notices that are due, and posts these. Any
// number of coordinators may do so: the database hands each notice to one of them at a time. A
// notice that is not answered with 2xx is tried again after a pause that doubles up to ten
// minutes, for a day. One that is answered just before its coordinator dies is posted again.
class Notifier {
 public:
  struct Settings {
    absl::Duration look_every = absl::Seconds(2);
    absl::Duration first_pause = absl::Seconds(5);  // after a failure
    absl::Duration hold = absl::Seconds(30);        // how long one coordinator has a notice
  };
  Notifier(Database::Settings database, Settings settings);
  ~Notifier();

 private:
  void Loop() LOCKS_EXCLUDED(mutex_);
  // Posts what is due.
  absl::Status Deliver() LOCKS_EXCLUDED(mutex_);
  bool Stopping() LOCKS_EXCLUDED(mutex_);

  const Settings settings_;
  Database database_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gridsweep::coordinator
