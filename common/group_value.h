// A group's key as text, wherever it is shown.
#pragma once

#include <string>

#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep {

// "0.12", "tanh", "true", "-" for NULL.
std::string GroupValueText(const v1::GroupValue& value);

}  // namespace gridsweep
