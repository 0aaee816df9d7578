// Faults and remarks collected while a sweep is read, each with its place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gridsweep/v1/sweep.pb.h"

namespace gridsweep::sweepspec {

// A place in the source: a field path and, in a file, line and column (from 1,
// in bytes).
struct Where {
  std::string path;
  uint32_t line = 0;
  uint32_t column = 0;
};

class Notices {
 public:
  // Beyond 100 errors only their number is kept: a broken file has one cause.
  void Error(const Where& where, const std::string& message);
  void Note(const Where& where, const std::string& message);
  bool has_errors() const { return errors_ > 0; }
  // All of them in the order of the file.
  std::vector<v1::Notice> Take();

 private:
  void Add(v1::Notice::Severity severity, const Where& where, const std::string& message);
  std::vector<v1::Notice> notices_;
  uint64_t errors_ = 0;
};

}  // namespace gridsweep::sweepspec
