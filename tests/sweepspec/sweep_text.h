// Sweep files for tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepspec {

inline std::string ReadFile(const std::string& path_in_repository) {
  std::ifstream file(std::string(GRIDSWEEP_SOURCE_DIR) + "/" + path_in_repository);
  EXPECT_TRUE(file.good()) << path_in_repository;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline ExpandResult Expanded(const std::string& yaml, const ExpandOptions& options = {}) {
  return ExpandYaml(yaml, options);
}

// A grid over the given lines of `parameters:`, two spaces in front of each; a
// Gaussian readout unless they name one.
inline std::string Grid(const std::string& parameters, const std::string& rest = "") {
  std::string yaml = "method: grid\nparameters:\n";
  if (parameters.find("place_field_values") == std::string::npos) {
    yaml += "  place_field_values: {value: gaussian}\n";
  }
  std::istringstream lines(parameters);
  for (std::string line; std::getline(lines, line);) yaml += "  " + line + "\n";
  return yaml + rest;
}

inline std::string Random(const std::string& parameters, const std::string& rest = "") {
  std::string yaml = Grid(parameters, rest);
  return yaml.replace(yaml.find("grid"), 4, "random");
}

// "line:column path: message" of each notice of the severity.
inline std::vector<std::string> Messages(const ExpandResult& result,
                                         v1::Notice::Severity severity) {
  std::vector<std::string> messages;
  for (const auto& notice : result.notices) {
    if (notice.severity() != severity) continue;
    messages.push_back(std::to_string(notice.line()) + ":" + std::to_string(notice.column()) + " " +
                       notice.path() + ": " + notice.message());
  }
  return messages;
}
inline std::vector<std::string> Errors(const ExpandResult& result) {
  return Messages(result, v1::Notice::SEVERITY_ERROR);
}
inline std::vector<std::string> Remarks(const ExpandResult& result) {
  return Messages(result, v1::Notice::SEVERITY_NOTICE);
}

// The runs of a file that must be valid.
inline std::vector<science::RunConfig> Runs(const ExpandResult& result) {
  EXPECT_TRUE(result.sweep.has_value());
  for (const auto& error : Errors(result)) ADD_FAILURE() << error;
  return result.sweep ? result.sweep->runs : std::vector<science::RunConfig>{};
}

}  // namespace gridsweep::sweepspec
