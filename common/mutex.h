// std::mutex with Clang's capability annotations. (Debian's Abseil is not
// instrumented for ThreadSanitizer, which then reports correct code.)
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define GRIDSWEEP_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define GRIDSWEEP_THREAD_ATTRIBUTE(x)
#endif

// Abseil's headers define the same names, to nothing.
#undef GUARDED_BY
#undef REQUIRES
#undef LOCKS_EXCLUDED
#define GUARDED_BY(x) GRIDSWEEP_THREAD_ATTRIBUTE(guarded_by(x))
#define REQUIRES(...) GRIDSWEEP_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define LOCKS_EXCLUDED(...) GRIDSWEEP_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace gridsweep {

class GRIDSWEEP_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() GRIDSWEEP_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() GRIDSWEEP_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class GRIDSWEEP_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) GRIDSWEEP_THREAD_ATTRIBUTE(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() GRIDSWEEP_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits with a Mutex that the caller holds: `while (!ready) cv.wait(mutex);`
using CondVar = std::condition_variable_any;

}  // namespace gridsweep
