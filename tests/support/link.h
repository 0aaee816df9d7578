// A wire between a worker and the coordinators that a test can cut: it passes
// bytes on and knows nothing of them.
#pragma once

#include <list>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"

namespace gridsweep::testing {

class Link {
 public:
  // Listens on the unix socket `path`. A connection goes to the first of the
  // sockets `targets` that takes one.
  Link(const std::string& path, std::vector<std::string> targets);
  ~Link();
  Link(const Link&) = delete;

  enum class State {
    kOpen,
    kCut,      // what is connected is cut off, and so is who comes
    kStalled,  // nothing passes, nobody is told
  };
  void Set(State state) LOCKS_EXCLUDED(mutex_);

 private:
  // One connection: what one end has sent and the other not taken yet.
  struct Pair {
    int ends[2];
    std::string pending[2];  // for ends[i]
  };
  void Loop() LOCKS_EXCLUDED(mutex_);
  void Accept();
  int Dial() const;
  // What came to ends[from] goes to the other. False when the connection has ended.
  static bool Pass(Pair& pair, int from);
  static bool Flush(Pair& pair, int to);
  void CloseAll();

  const std::string path_;
  const std::vector<std::string> targets_;
  int listener_, wake_[2];
  std::list<Pair> pairs_;
  Mutex mutex_;
  State state_ GUARDED_BY(mutex_) = State::kOpen;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gridsweep::testing
