// Reads so many files of hdf5_bytes.cc, drawn at random, and says how fast.
//   hdf5_bytes_storm FILES [SEED]
// The library reads them from memory, in processes that die of some. What a process dies of is read
// by the program that reads hostile files too, and so is one file in a hundred, and the first of
// those that no reading ends of.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <string>

#include "hdf5/image.h"
#include "tests/fuzz/hdf5_bytes.h"

namespace gridsweep::fuzz {
namespace {

// What damage leaves behind in the library must not add up.
constexpr uint64_t kFilesAProcess = 500;
constexpr uint64_t kByProgram = 100;
constexpr rlim_t kMostMemory = rlim_t{2} << 30;
constexpr timeval kMostTime = {0, 200'000};  // of a processor, for a file
constexpr uint64_t kEndlessByProgram = 3;    // each takes it its five seconds
constexpr uint64_t kSayEach = 100'000;

// What both processes see.
struct Shared {
  uint64_t next = 0;  // the file that is being read, or is next
  uint64_t listed = 0, read = 0;
};

std::string FileOf(uint64_t seed, uint64_t i) {
  // Each from its own seed, so that one is found again alone.
  std::seed_seq own = {static_cast<uint32_t>(seed), static_cast<uint32_t>(i)};
  std::mt19937 random(own);
  std::string input(1 + random() % 60, '\0');
  for (char& byte : input) byte = static_cast<char>(random());
  if (input[0] == '\xFF') input[0] = '\0';
  return ChangedFile(input);
}

[[noreturn]] void ReadMany(Shared& shared, uint64_t files, uint64_t seed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit memory = {kMostMemory, kMostMemory}, no_core = {0, 0};
  setrlimit(RLIMIT_AS, &memory);
  setrlimit(RLIMIT_CORE, &no_core);
  for (uint64_t n = 0; n < kFilesAProcess && shared.next < files; ++n, ++shared.next) {
    const itimerval limit = {{}, kMostTime};
    setitimer(ITIMER_PROF, &limit, nullptr);
    try {
      const Seen seen = ReadAll(hdf5::OpenImage(FileOf(seed, shared.next)));
      shared.listed += seen.listed;
      shared.read += seen.read;
    } catch (const std::bad_alloc&) {  // refused, by the program
    }
  }
  _exit(0);
}

int Storm(uint64_t files, uint64_t seed) {
  void* const memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return perror("mmap"), 1;
  Shared& shared = *new (memory) Shared;
  FileOf(seed, 0);  // all processes have the files of ours
  const auto start = std::chrono::steady_clock::now();
  uint64_t died = 0, endless = 0, by_program = 0, died_of_program = 0, said = 0;
  const auto by_the_program = [&](uint64_t i) {
    ++by_program;
    died_of_program += ReadByProgram(FileOf(seed, i)).died;
  };
  for (uint64_t checked = 0; shared.next < files;) {
    const pid_t child = fork();
    if (child == 0) ReadMany(shared, files, seed);
    if (child < 0) return perror("fork"), 1;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
      const bool in_time = WTERMSIG(status) != SIGPROF;
      ++(in_time ? died : endless);
      if (in_time || endless <= kEndlessByProgram) by_the_program(shared.next);
      ++shared.next;
    }
    for (; checked < shared.next; checked += kByProgram) by_the_program(checked);
    if (shared.next / kSayEach > said) {
      said = shared.next / kSayEach;
      std::printf("%llu files\n", static_cast<unsigned long long>(shared.next));
      std::fflush(stdout);
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto n = [](uint64_t number) { return static_cast<unsigned long long>(number); };
  std::printf(
      "%llu files in %.0f s, %.0f a second: %llu listed, %llu read whole, %llu ended "
      "their process, %llu did not end; %llu by gridsweep-hdf5-reader, of which %llu ended their "
      "process\n",
      n(files), seconds, static_cast<double>(files) / seconds, n(shared.listed), n(shared.read),
      n(died), n(endless), n(by_program), n(died_of_program));
  return shared.listed > 0 && shared.listed < files ? 0 : 1;
}

}  // namespace
}  // namespace gridsweep::fuzz

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "hdf5_bytes_storm FILES [SEED]\n");
    return 2;
  }
  return gridsweep::fuzz::Storm(std::strtoull(arguments[1], nullptr, 10),
                                count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
}
