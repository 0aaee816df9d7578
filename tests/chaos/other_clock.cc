// Preloaded into a program: its wall clock is off by as many seconds as the
// first 8 bytes of the file $GRIDSWEEP_CLOCK say (int64), at any moment. What
// waits until a time of that clock waits as long as it would on a machine whose
// clock is off, Abseil's bare futexes included.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace {

// Nothing here is initialized at its first use by the language: a thread that waits for another to
// finish that calls `syscall`, which is ours, which would wait again.
std::atomic<const volatile int64_t*> offset = nullptr;
constexpr int64_t kNone = 0;

int64_t Offset() {
  const volatile int64_t* seconds = offset;
  if (seconds == nullptr) {
    const char* path = getenv("GRIDSWEEP_CLOCK");
    const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    // Not by mmap: UCX, which Debian 13's LibTorch loads, asks for the time while it rewrites that.
    const long page = fd < 0 ? -1
                             : syscall(SYS_mmap, nullptr, sizeof(int64_t), long{PROT_READ},
                                       long{MAP_SHARED}, long{fd}, 0L);
    if (fd >= 0) close(fd);
    seconds = page == -1 ? &kNone : reinterpret_cast<const volatile int64_t*>(page);
    offset = seconds;
  }
  return *seconds;
}

template <typename Function>
Function Real(std::atomic<Function>& known, const char* name) {
  Function function = known;
  if (function == nullptr) {
    function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
    known = function;
  }
  return function;
}

std::atomic<int (*)(clockid_t, timespec*)> real_clock_gettime = nullptr;
std::atomic<int (*)(timeval*, void*)> real_gettimeofday = nullptr;
std::atomic<int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>
    real_cond_clockwait = nullptr;
std::atomic<int (*)(sem_t*, const timespec*)> real_sem_timedwait = nullptr;
std::atomic<long (*)(long, ...)> real_syscall = nullptr;

timespec Shifted(const timespec& time) { return {time.tv_sec - Offset(), time.tv_nsec}; }

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) {
  const int result = Real(real_clock_gettime, "clock_gettime")(clock, time);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += Offset();
  return result;
}

int gettimeofday(timeval* time, void* zone) {
  const int result = Real(real_gettimeofday, "gettimeofday")(time, zone);
  time->tv_sec += Offset();
  return result;
}

time_t time(time_t* out) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t* cond, pthread_mutex_t* mutex, const timespec* until) {
  // Nobody here makes a condition of another clock.
  const timespec shifted = Shifted(*until);
  return Real(real_cond_clockwait, "pthread_cond_clockwait")(cond, mutex, CLOCK_REALTIME, &shifted);
}

int sem_timedwait(sem_t* semaphore, const timespec* until) {
  const timespec shifted = Shifted(*until);
  return Real(real_sem_timedwait, "sem_timedwait")(semaphore, &shifted);
}

long syscall(long number, ...) {
  long a[6];
  va_list list;
  va_start(list, number);
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  timespec shifted;
  if (number == SYS_futex && (a[1] & FUTEX_CLOCK_REALTIME) != 0 && a[3] != 0) {
    shifted = Shifted(*reinterpret_cast<const timespec*>(a[3]));
    a[3] = reinterpret_cast<long>(&shifted);
  }
  return Real(real_syscall, "syscall")(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // extern "C"
