// Logging for all programs: spdlog to stderr, one JSON object a line when
// GRIDSWEEP_LOG_FORMAT=json, plain text otherwise; level by
// GRIDSWEEP_LOG_LEVEL (debug, info, warn, error; default info). A message is one line, whatever
// words of others are in it (Printable).
//
// A JSON line has time, level, program and message; and, where they are known, the numbers run and
// attempt and the text worker.
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <string>

namespace gridsweep {

// Call once, first thing in main. `program` is written on every line.
void InitLogging(const std::string& program);

// All lines of this process are about that worker. Once, before other threads log.
void SetLogWorker(const std::string& worker);

// While it lives, JSON lines of this thread carry the run that they are about. In plain text the
// message says so itself. Contexts nest: the innermost counts.
class LogContext {
 public:
  // `attempt` 0, `worker` "": not known, and left out.
  LogContext(int64_t run, int attempt, std::string worker = "");
  ~LogContext();
  LogContext(const LogContext&) = delete;
  LogContext& operator=(const LogContext&) = delete;

 private:
  friend class LogFields;
  const int64_t run_;
  const int attempt_;
  const std::string worker_;
  const LogContext* const outer_;
};

}  // namespace gridsweep
