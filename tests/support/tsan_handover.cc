// Tells ThreadSanitizer how the installed gRPC and Abseil, which are not instrumented, order
// threads: by Abseil's locks, and in that what was done before a batch of operations began is done
// before its completion is told. Without it all that gRPC hands from one thread to another looks
// like a race.
//
// Linked into every program of a build with -fsanitize=thread. These definitions take the place of
// the libraries', and of gRPC's inline ones.
#include <absl/synchronization/mutex.h>
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpcpp/support/callback_common.h>
#include <grpcpp/support/server_callback.h>
#include <sanitizer/tsan_interface.h>

#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>

namespace {

void* Address(auto function) {
  if constexpr (sizeof(function) == sizeof(void*)) {
    return std::bit_cast<void*>(function);
  } else {
    return std::bit_cast<std::array<void*, 2>>(function)[0];  // a member's
  }
}

// The library's function of the same name as `own`. A member's takes the object first.
template <typename Function>
Function* Next(auto own) {
  Dl_info info;
  void* next = dladdr(Address(own), &info) != 0 && info.dli_sname != nullptr
                   ? dlsym(RTLD_NEXT, info.dli_sname)
                   : nullptr;
  if (next == nullptr) {
    std::fputs("tsan_handover: a function of Abseil or gRPC is not found in its library\n", stderr);
    std::abort();
  }
  return reinterpret_cast<Function*>(next);
}

// A wait gives the mutex up and takes it again within the library.
class Unlocked {
 public:
  explicit Unlocked(absl::Mutex* mutex) : mutex_(mutex) { __tsan_release(mutex_); }
  ~Unlocked() { __tsan_acquire(mutex_); }

 private:
  absl::Mutex* const mutex_;
};

}  // namespace

namespace absl {

void Mutex::Lock() {
  static const auto next = Next<void(Mutex*)>(&Mutex::Lock);
  next(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  static const auto next = Next<bool(Mutex*)>(&Mutex::TryLock);
  const bool locked = next(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::Unlock() {
  static const auto next = Next<void(Mutex*)>(&Mutex::Unlock);
  __tsan_release(this);
  next(this);
}

void CondVar::Wait(Mutex* mutex) {
  static const auto next = Next<void(CondVar*, Mutex*)>(&CondVar::Wait);
  const Unlocked meanwhile(mutex);
  next(this, mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static const auto next = Next<bool(CondVar*, Mutex*, Duration)>(&CondVar::WaitWithTimeout);
  const Unlocked meanwhile(mutex);
  return next(this, mutex, timeout);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static const auto next = Next<bool(CondVar*, Mutex*, Time)>(&CondVar::WaitWithDeadline);
  const Unlocked meanwhile(mutex);
  return next(this, mutex, deadline);
}

}  // namespace absl

extern "C" grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count,
                                                 void* tag, void* reserved) {
  static const auto next = Next<decltype(grpc_call_start_batch)>(&grpc_call_start_batch);
  __tsan_release(tag);
  return next(call, ops, count, tag, reserved);
}

namespace grpc::internal {

// The last of a call's parts to end leads here. Those that end within the library are not seen to.
void ServerCallbackCall::ScheduleOnDone(bool inlined) {
  static const auto next =
      Next<void(ServerCallbackCall*, bool)>(&ServerCallbackCall::ScheduleOnDone);
  __tsan_acquire(&callbacks_outstanding_);
  next(this, inlined);
}

// An explicit instantiation may name what is private.
template <typename Tag, void (Tag::*kRun)(bool)>
struct PrivateRun {
  friend void Run(Tag* tag, bool ok) { (tag->*kRun)(ok); }
};
void Run(CallbackWithSuccessTag* tag, bool ok);
void Run(CallbackWithStatusTag* tag, bool ok);
template struct PrivateRun<CallbackWithSuccessTag, &CallbackWithSuccessTag::Run>;
template struct PrivateRun<CallbackWithStatusTag, &CallbackWithStatusTag::Run>;

// By their names here these are the inline functions that gRPC has called at a completion.
void RunSuccess(grpc_completion_queue_functor* tag, int ok) __asm__(
    "_ZN4grpc8internal22CallbackWithSuccessTag9StaticRunEP29grpc_completion_queue_functori");
void RunSuccess(grpc_completion_queue_functor* tag, int ok) {
  __tsan_acquire(tag);
  Run(static_cast<CallbackWithSuccessTag*>(tag), ok != 0);
}

void RunStatus(grpc_completion_queue_functor* tag, int ok) __asm__(
    "_ZN4grpc8internal21CallbackWithStatusTag9StaticRunEP29grpc_completion_queue_functori");
void RunStatus(grpc_completion_queue_functor* tag, int ok) {
  __tsan_acquire(tag);
  Run(static_cast<CallbackWithStatusTag*>(tag), ok != 0);
}

}  // namespace grpc::internal
