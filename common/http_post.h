// Telling a web address something: JSON by POST.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>

namespace gridsweep {

inline constexpr size_t kMaxUrlBytes = 2048;

// Why `url` is no address that can be posted to, or "": http:// or https://, a host, perhaps a
// port and a path; printable ASCII; no user and password, and no fragment.
std::string HttpUrlFault(std::string_view url);

// Posts `json`. OK for a status of 2xx; else an error that says what came instead: UNAVAILABLE
// where there was no answer. Redirects are not followed, the answer's body is not read. All of it,
// from connecting to the answer's header, may take `timeout`; looking up the host's address before
// that takes as long as the system's resolver does. Certificates must be valid.
absl::Status PostJson(const std::string& url, const std::string& json, absl::Duration timeout);

}  // namespace gridsweep
