// docs/sweep-files.md says what is so: its examples, its tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "common/strings.h"
#include "science/config/parameters.h"
#include "sweepspec/distribution.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using science::Parameter;
using ::testing::IsEmpty;

const std::string& Manual() {
  static const std::string text = ReadFile("docs/sweep-files.md");
  return text;
}

// The rows of the table whose head is `head`, a line each.
std::string TableOf(const std::string& head) {
  std::istringstream lines(Manual());
  std::string rows, line;
  while (std::getline(lines, line) && line != head) {
  }
  std::getline(lines, line);  // |---|
  while (std::getline(lines, line) && line.starts_with("|")) rows += line + "\n";
  return rows;
}

// Text between backquotes, in the order of `row`.
std::vector<std::string> Code(const std::string& row) {
  std::vector<std::string> code;
  for (size_t at = row.find('`'); at != std::string::npos; at = row.find('`', at + 1)) {
    const size_t end = row.find('`', at + 1);
    code.push_back(row.substr(at + 1, end - at - 1));
    at = end;
  }
  return code;
}

std::vector<std::string> Rows(const std::string& table) {
  std::vector<std::string> rows;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  return rows;
}

TEST(Manual, TheTableOfParametersIsTheProgramsOwn) {
  std::string expected;
  for (const Parameter& p : science::Parameters()) {
    expected += StrCat("| `", p.name, "` | ", p.default_text, " | ", p.unit, " | ", p.range, " | ",
                       p.help, " |\n");
  }
  EXPECT_EQ(TableOf("| name | default | unit | range | meaning |"), expected);
}

TEST(Manual, EveryExampleIsValidAndHasAsManyRunsAsItSays) {
  int examples = 0;
  const std::string open = "```yaml\n";
  for (size_t at = Manual().find(open); at != std::string::npos; at = Manual().find(open, at + 1)) {
    const size_t start = at + open.size();
    const std::string yaml = Manual().substr(start, Manual().find("```", start) - start);
    size_t said = 0;
    ASSERT_EQ(std::sscanf(yaml.c_str(), "# %zu runs", &said), 1) << yaml;
    EXPECT_EQ(Runs(Expanded(yaml)).size(), said) << yaml;
    ++examples;
  }
  EXPECT_EQ(examples, 4);
}

TEST(Manual, EveryDistributionHasARowWithItsKeysAndAnExampleThatDraws) {
  std::vector<std::string> names;
  for (const std::string& row : Rows(TableOf("| distribution | keys | draws | example |"))) {
    const auto code = Code(row);
    ASSERT_GE(code.size(), 3u) << row;
    names.push_back(code.front());
    for (const DistributionKind& kind : DistributionKinds()) {
      if (kind.name != code.front()) continue;
      std::vector<std::string> keys(kind.required.begin(), kind.required.end());
      keys.insert(keys.end(), kind.optional.begin(), kind.optional.end());
      EXPECT_THAT(std::vector(code.begin() + 1, code.end() - 1), testing::ElementsAreArray(keys));
    }
    const auto result = Expanded(Random(code.back(), "run_cap: 20\n"));
    EXPECT_EQ(Runs(result).size(), 20u) << row;
    // What may stand in a grid does, and nothing else.
    const bool grid = code.front() == "constant" || code.front() == "categorical" ||
                      code.front() == "int_uniform" || code.front() == "q_uniform";
    EXPECT_EQ(Expanded(Grid(code.back())).sweep.has_value(), grid) << row;
  }
  for (const DistributionKind& kind : DistributionKinds()) {
    EXPECT_EQ(std::ranges::count(names, kind.name), 1) << kind.name;
  }
  EXPECT_EQ(names.size(), DistributionKinds().size() + 3);
}

TEST(Manual, EveryKeyOfTheTopLevelAndOfGridsweepHasItsRow) {
  // The refusal of an unknown key lists those that there are.
  const auto listed = [](const std::string& yaml) {
    const auto errors = Errors(Expanded(yaml));
    EXPECT_EQ(errors.size(), 1u);
    const std::string error = errors.front();
    const size_t takes = error.find(" takes ") + 7;
    std::vector<std::string> keys;
    std::istringstream list(error.substr(takes, error.find_first_of(";(", takes) - takes));
    for (std::string key; list >> key;) keys.push_back(key.substr(0, key.find(',')));
    return keys;
  };
  const auto table = [](const std::string& yaml_head, const std::string& section) {
    const size_t at = Manual().find("\n## " + section + "\n");
    const size_t head = Manual().find(yaml_head, at);
    std::vector<std::string> keys;
    std::istringstream lines(Manual().substr(head));
    std::string line;
    std::getline(lines, line);
    std::getline(lines, line);
    while (std::getline(lines, line) && line.starts_with("|")) {
      for (const std::string& key : Code(line.substr(0, line.find('|', 2)))) keys.push_back(key);
    }
    return keys;
  };
  EXPECT_THAT(table("| key | meaning |", "Top level"),
              testing::UnorderedElementsAreArray(listed(Grid("", "zzzzzzzzz: 1\n"))));
  EXPECT_THAT(table("| key | meaning |", "gridsweep"),
              testing::UnorderedElementsAreArray(listed(Grid("", "gridsweep: {zzzzzzzzz: 1}\n"))));
}

}  // namespace
}  // namespace gridsweep::sweepspec
