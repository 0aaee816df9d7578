// A wire between a worker and the coordinators that a test can cut, slow down or lead elsewhere: it
// passes bytes on and knows nothing of them.
#pragma once

#include <cstdint>
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
    kSlow,     // all connections together pass `rate` bytes a second to either side
  };
  void Set(State state, int64_t rate = 0) LOCKS_EXCLUDED(mutex_);
  // Cuts what is connected, and takes who comes to `targets` from now on.
  void Lead(std::vector<std::string> targets) LOCKS_EXCLUDED(mutex_);

 private:
  // One connection: what one end has sent and the other not taken yet.
  struct Pair {
    int ends[2];
    std::string pending[2];  // for ends[i]
  };
  void Loop() LOCKS_EXCLUDED(mutex_);
  void Accept() LOCKS_EXCLUDED(mutex_);
  int Dial() LOCKS_EXCLUDED(mutex_);
  void Wake();
  // Up to `most` bytes that came to ends[from] go to the other, which takes them off `most`. False
  // when the connection has ended.
  static bool Pass(Pair& pair, int from, size_t& most);
  static bool Flush(Pair& pair, int to);
  void CloseAll();
  std::list<Pair>::iterator Close(std::list<Pair>::iterator pair);
  // Passes what is due in one period, the connections taking turns to be first.
  void PassSlowly(int64_t rate);

  const std::string path_;
  int listener_, wake_[2];
  std::list<Pair> pairs_;
  Mutex mutex_;
  std::vector<std::string> targets_ GUARDED_BY(mutex_);
  State state_ GUARDED_BY(mutex_) = State::kOpen;
  int64_t rate_ GUARDED_BY(mutex_) = 0;
  bool cut_ GUARDED_BY(mutex_) = false;  // once, whatever the state
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gridsweep::testing
