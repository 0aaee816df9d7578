// What a request's fields must be so that the store keeps them as they are.
// Each check answers INVALID_ARGUMENT with the field's `path` where they are not.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>

#include "gridsweep/v1/dispatch.pb.h"
#include "gridsweep/v1/sweep.pb.h"

namespace gridsweep::coordinator {

// At most `most` bytes, and no NUL: PostgreSQL's text has none.
absl::Status CheckText(const std::string& path, const std::string& text, size_t most = SIZE_MAX);
// What is shown as it is, on one line: that, and IsPrintable.
absl::Status CheckName(const std::string& path, const std::string& name, size_t most = 1024);
// At most the largest signed number of `bits` bits: columns have signs.
absl::Status CheckSize(const std::string& path, uint64_t number, int bits);
// The last 64 kB of a log, from the start of a UTF-8 character.
std::string EndOfLog(const std::string& log);
// The first 16 kB of an error, to the end of a UTF-8 character; says how much is left out.
std::string StartOfError(const std::string& error);
// A token of 16 bytes.
absl::Status CheckRef(const std::string& path, const v1::LeaseRef& ref);
// 32 bytes.
absl::Status CheckSha256(const std::string& path, const std::string& sha256);
// Fractions of units above all published thresholds, or above none.
absl::Status CheckPoint(const std::string& path, const v1::CurvePoint& point);

}  // namespace gridsweep::coordinator
