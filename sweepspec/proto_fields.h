// The fields of a v1::RunConfig that are present, read into a RunConfig.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gridsweep/v1/config.pb.h"
#include "science/config/run_config.h"

namespace gridsweep::sweepspec {

struct ProtoFields {
  science::RunConfig config;         // defaults that depend on nothing, and the given values
  std::set<std::string_view> given;  // names of the parameters that were present
  std::vector<std::pair<std::string, std::string>> errors;  // parameter, message
};

// Each value's kind and own range are checked; combinations are not.
ProtoFields ReadFields(const v1::RunConfig& proto);

}  // namespace gridsweep::sweepspec
