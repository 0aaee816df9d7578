#include "hdf5/sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <vector>

namespace gridsweep::hdf5 {
namespace {

// Debian 12's header ends with version 2 of Landlock; these are the kernel's own numbers.
struct Ruleset {
  uint64_t files, network, scopes;
};
constexpr uint64_t kFilesVersion1 = (uint64_t{1} << 13) - 1;  // EXECUTE to MAKE_SYM
constexpr uint64_t kRefer = 1 << 13, kTruncate = 1 << 14, kIoctlDevice = 1 << 15;
constexpr uint64_t kBindTcp = 1 << 0, kConnectTcp = 1 << 1;
constexpr uint64_t kAbstractSocket = 1 << 0, kSignal = 1 << 1;

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "hdf5/sandbox.cc: name this processor's AUDIT_ARCH"
#endif

#ifdef GRIDSWEEP_SANITIZED
// Sanitizers ask the kernel for more; what is forbidden fails, and does not end the process.
constexpr uint32_t kForbidden = SECCOMP_RET_ERRNO | 1;  // EPERM
#else
constexpr uint32_t kForbidden = SECCOMP_RET_KILL_PROCESS;
#endif

// Memory, the socket, the end. recvfrom and sendto are what glibc's recv and send call.
constexpr int kAllowed[] = {
    __NR_brk,          __NR_exit,      __NR_exit_group, __NR_getrandom,
    __NR_madvise,      __NR_mremap,    __NR_munmap,     __NR_recvfrom,
    __NR_rt_sigreturn, __NR_sendto,    __NR_restart_syscall,
    __NR_clock_gettime, __NR_gettimeofday,
};

constexpr uint32_t kNumberAt = offsetof(seccomp_data, nr);
constexpr uint32_t kArchitectureAt = offsetof(seccomp_data, arch);
// The lower half of an argument: both processors are little-endian.
constexpr uint32_t ArgumentAt(int i) {
  return offsetof(seccomp_data, args) + static_cast<uint32_t>(i) * sizeof(uint64_t);
}

class Filter {
 public:
  Filter() {
    Load(kArchitectureAt);
    Add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
    Return(SECCOMP_RET_KILL_PROCESS);
    Load(kNumberAt);
  }
  void Allow(int number) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1);
    Return(SECCOMP_RET_ALLOW);
  }
  void Fail(int number, uint32_t error) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1);
    Return(SECCOMP_RET_ERRNO | error);
  }
  // Allowed where none of `bits` is set in argument `i`.
  void AllowWithout(int number, int i, uint32_t bits) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 4);
    Load(ArgumentAt(i));
    Add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    Return(kForbidden);
    Return(SECCOMP_RET_ALLOW);
  }
  // Allowed where argument `i` is one of `value` and `other`.
  void AllowOnly(int number, int i, uint32_t value, uint32_t other) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 5);
    Load(ArgumentAt(i));
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 2, 0);
    Add(BPF_JMP | BPF_JEQ | BPF_K, other, 1, 0);
    Return(kForbidden);
    Return(SECCOMP_RET_ALLOW);
  }
  bool Install() {
    Return(kForbidden);
    sock_fprog program = {static_cast<unsigned short>(code_.size()), code_.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
  }

 private:
  void Load(uint32_t at) { Add(BPF_LD | BPF_W | BPF_ABS, at, 0, 0); }
  void Return(uint32_t verdict) { Add(BPF_RET | BPF_K, verdict, 0, 0); }
  void Add(int code, uint32_t value, uint8_t if_true, uint8_t if_false) {
    code_.push_back({static_cast<uint16_t>(code), if_true, if_false, value});
  }

  std::vector<sock_filter> code_;
};

// Beyond `most` the process hears of it, beyond `spare` more it is killed.
bool Limit(int what, uint64_t most, uint64_t spare = 0) {
  const rlimit limit = {most, most + spare};
  return setrlimit(static_cast<__rlimit_resource>(what), &limit) == 0;
}

}  // namespace

int ForbidFiles() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 0;
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return 0;
  // Whatever is handled and has no rule is forbidden; there is no rule.
  Ruleset rules = {kFilesVersion1, 0, 0};
  if (version >= 2) rules.files |= kRefer;
  if (version >= 3) rules.files |= kTruncate;
  if (version >= 4) rules.network = kBindTcp | kConnectTcp;
  if (version >= 5) rules.files |= kIoctlDevice;
  if (version >= 6) rules.scopes = kAbstractSocket | kSignal;
  const size_t size = version >= 6   ? sizeof rules
                      : version >= 4 ? offsetof(Ruleset, scopes)
                                     : offsetof(Ruleset, network);
  const long ruleset = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
  if (ruleset < 0) return 0;
  const bool taken = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  close(static_cast<int>(ruleset));
  return taken ? static_cast<int>(version) : 0;
}

bool ForbidAllButMemory() {
  Filter filter;
  for (const int number : kAllowed) filter.Allow(number);
  // HDF5 makes sure that no file has the name that it is given for a file in memory: none has.
  filter.Fail(__NR_openat, ENOENT);
  // Memory never becomes code.
  filter.AllowWithout(__NR_mmap, 2, PROT_EXEC);
  filter.AllowWithout(__NR_mprotect, 2, PROT_EXEC);
  // Waking threads, of which there are none, waits for nobody.
  filter.AllowOnly(__NR_futex, 1, FUTEX_WAKE, FUTEX_WAKE_PRIVATE);
  return filter.Install();
}

bool LimitMemoryAndTime(uint64_t file_bytes) {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
#ifndef GRIDSWEEP_SANITIZED  // whose shadow memory is 20 TB
  if (!Limit(RLIMIT_AS, file_bytes + kGiB)) return false;
#endif
  // With nothing to spare it would end by SIGKILL, as where the machine's memory runs out.
  return Limit(RLIMIT_CPU, 5 + 20 * file_bytes / kGiB, /*spare=*/2) && Limit(RLIMIT_CORE, 0) &&
         Limit(RLIMIT_FSIZE, 0);
}

}  // namespace gridsweep::hdf5
