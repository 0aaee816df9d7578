// Logging for all programs: spdlog to stderr, one JSON object a line when
// GRIDSWEEP_LOG_FORMAT=json, plain text otherwise; level by
// GRIDSWEEP_LOG_LEVEL (debug, info, warn, error; default info).
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace gridsweep {

// Call once, first thing in main. `program` is written on every line.
void InitLogging(const std::string& program);

}  // namespace gridsweep
