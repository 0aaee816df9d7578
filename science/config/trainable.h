// What this version's workers can train: a subset of what a configuration can say.
#pragma once

#include <optional>

#include "science/config/parameters.h"

namespace gridsweep::science {

// The first parameter whose value no worker of this version can train, with
// what it can; nullopt when `config` can be trained. Assumes that CheckConfig
// found nothing.
std::optional<ConfigError> CheckTrainable(const RunConfig& config);

}  // namespace gridsweep::science
