// Programs as processes, and waiting for what they do.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace gridsweep::testing {

// The whole file from byte `start`; "" when it cannot be read.
std::string ReadFile(const std::filesystem::path& path, size_t start = 0);

// Waits for `condition`; false when it does not come true in `limit` (times five in builds with a
// sanitizer).
bool Within(const std::function<bool()>& condition,
            std::chrono::milliseconds limit = std::chrono::minutes(1));
// A --timeout of sweepctl that is lengthened in the same way.
std::string Timeout(std::chrono::seconds limit);

// A program in the background. For one thread at a time.
class Program {
 public:
  // Starts `words`, the first a path; its output is appended to `log`. A
  // failure to start is a failure of the test.
  Program(const std::vector<std::string>& words, const std::filesystem::path& log);
  // Kills it.
  ~Program();
  Program(const Program&) = delete;

  bool Running();
  // 0 once it has ended.
  pid_t pid() const { return pid_; }
  // Whether it has begun to deal with signals: our programs ignore SIGPIPE from
  // their first lines on, and wait for SIGTERM then.
  bool HandlesSignals() const;
  // Sends SIGKILL and waits for the end. False when it had ended before.
  bool Kill();
  // Sends `signal`. False when it had ended before.
  bool Signal(int signal);
  // Asks it to end; its exit status, -1 when it does not or is killed by a signal.
  int Terminate();

 private:
  // Whether it has ended, then once and for all with `status_`.
  bool Ended(int options);
  pid_t pid_ = 0;  // 0 once it is gone
  int status_ = 0;
};

struct Ran {
  int code;  // 128 + n for signal n
  std::string out, err;
};
// Runs `words` to their end.
Ran Run(const std::vector<std::string>& words);

// Where the build has put the program.
std::string Binary(const std::string& program);
// Runs sweepctl against these servers; nothing of the user's own configuration counts.
Ran RunSweepctl(const std::filesystem::path& home, const std::string& coordinator,
                const std::string& analysis, const std::vector<std::string>& arguments);

}  // namespace gridsweep::testing
