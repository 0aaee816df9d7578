// A bearer token that may be used now, as the database knows it.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "gridsweep/v1/admin.pb.h"

namespace gridsweep {

struct LiveToken {
  std::string name;
  v1::Role role;
  std::string sha256;  // of the secret; 32 bytes
  absl::Duration valid_for = absl::InfiniteDuration();  // from now
};

}  // namespace gridsweep
