// What --filter and --by may name, as the analysis server knows it.
#pragma once

#include <string>
#include <vector>

namespace gridsweep::sweepctl {

struct FieldHelp {
  std::string name;
  std::string values;   // "> 0", "relu, tanh, sigmoid or linear"
  std::string meaning;  // one line
  bool groups;          // --by takes it too
};

// Parameters of configurations, then what is known of runs, then metrics of runs.
std::vector<FieldHelp> FilterFields();

}  // namespace gridsweep::sweepctl
