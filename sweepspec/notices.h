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
  static constexpr uint64_t kMaxErrors = 100, kMaxNotes = 100;
  // Beyond 100 errors, and 100 notes, only their number is kept: a broken file has one cause. A
  // path is cut at 256 bytes.
  void Error(const Where& where, const std::string& message);
  void Note(const Where& where, const std::string& message);
  bool has_errors() const { return errors_ > 0; }
  // Whether the message of a further error is dropped: it need not be made.
  bool full() const { return errors_ >= kMaxErrors; }
  // All of them in the order of the file.
  std::vector<v1::Notice> Take();

 private:
  void Add(v1::Notice::Severity severity, const Where& where, const std::string& message);
  std::vector<v1::Notice> notices_;
  uint64_t errors_ = 0, notes_ = 0;
};

}  // namespace gridsweep::sweepspec
