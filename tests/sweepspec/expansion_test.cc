// Grids against an expansion of the test's own: the same points in the same
// order, for sweep files drawn at random.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "science/config/parameters.h"
#include "sweepspec/run_config_proto.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Random = std::mt19937_64;
using Point = std::map<std::string, std::string>;  // parameter -> value, as ValueText prints it

size_t Below(Random& random, size_t n) {
  return std::uniform_int_distribution<size_t>(0, n - 1)(random);
}

// Values of one parameter: spellings that a file may have, by the text of the value.
using Spellings = std::vector<std::pair<std::string, std::vector<std::string>>>;
const std::map<std::string, Spellings>& Pool() {
  static const std::map<std::string, Spellings> pool = {
      {"Ng",
       {{"16", {"16", "16.0", "1.6e+1", "1.6e1"}},
        {"32", {"32", "+32"}},
        {"100", {"1e2", "100"}},
        {"7", {"7"}}}},
      {"activation",
       {{"relu", {"relu", "'relu'"}}, {"tanh", {"tanh", "\"tanh\""}}, {"linear", {"linear"}}}},
      {"rnn_type",
       {{"RNN", {"RNN", "rnn"}}, {"SRNN", {"VanillaRNN", "SRNN", "srnn"}}, {"GRU", {"GRU"}}}},
      {"is_periodic", {{"true", {"true", "on", "Yes"}}, {"false", {"false", "off", "no"}}}},
      {"learning_rate",
       {{"0.0001", {"1e-4", "0.0001", "1.0e-4"}}, {"1e-7", {"1e-7"}}, {"1", {"1", "1.0"}}}},
      {"weight_decay", {{"0", {"0", "0.0", "-0.0"}}, {"0.5", {".5", "0.5", "5e-1"}}}},
      {"place_cell_rf",
       {{"0.12", {"0.12", "0.120"}},
        {"2", {"2", "2.0"}},
        {"Uniform( 0.06 , 1.0 )", {"'Uniform( 0.06 , 1.0 )'", "'Uniform(0.06,1)'"}}}},
      {"n_place_fields_per_cell",
       {{"1", {"1", "1.0"}}, {"Poisson( 3.0 )", {"Poisson(3)", "Poisson( 3.0 )"}}}},
      {"batch_size", {{"10", {"10"}}, {"20", {"20", "2e1"}}, {"30", {"30"}}}},
      {"seed", {{"0", {"0"}}, {"3", {"3"}}, {"3000000", {"3e6", "3000000"}}}},
  };
  return pool;
}

// A sweep file and what it must expand to.
struct Example {
  std::string yaml;
  std::vector<Point> points;
  uint64_t collapsed = 0, excluded = 0;
};

class ExampleMaker {
 public:
  explicit ExampleMaker(uint64_t seed) : random_(seed) {}

  Example Make() {
    std::vector<std::string> names;
    for (const auto& [name, spellings] : Pool()) names.push_back(name);
    std::shuffle(names.begin(), names.end(), random_);
    names.resize(1 + Below(random_, 5));
    for (const std::string& name : names) {
      // One in three stands in a group, which sorts by its own name.
      const std::string group = Below(random_, 3) > 0 ? "" : Below(random_, 2) ? "My" : "model";
      AddAxis(group, name);
    }
    seeds_ = Below(random_, 3);
    if (std::ranges::find(names, "seed") != names.end()) seeds_ = 0;
    if (Below(random_, 2)) {
      for (size_t i = 0; i < 1 + Below(random_, 2); ++i) AddExclusion();
    }
    if (Below(random_, 3) == 0) cap_ = 1 + Below(random_, 12);
    example_.yaml = Yaml();
    Expand();
    return std::move(example_);
  }

 private:
  struct Axis {
    std::string yaml;                 // what follows the parameter's name
    std::vector<std::string> values;  // those that differ, in order
  };

  void AddAxis(const std::string& group, const std::string& name) {
    const Spellings& spellings = Pool().at(name);
    Axis axis;
    if (name == "batch_size" && Below(random_, 2)) {
      axis = Below(random_, 2)
                 ? Axis{"{min: 3, max: 5}", {"3", "4", "5"}}
                 : Axis{"{distribution: q_uniform, min: 4, max: 10, q: 3}", {"4", "7"}};
    } else if (Below(random_, 5) == 0) {
      const auto& [text, ways] = spellings[Below(random_, spellings.size())];
      axis = {"{value: " + ways[Below(random_, ways.size())] + "}", {text}};
    } else {
      const size_t count = 1 + Below(random_, 5);
      axis.yaml = "{values: [";
      for (size_t i = 0; i < count; ++i) {
        const auto& [text, ways] = spellings[Below(random_, spellings.size())];
        axis.yaml += (i > 0 ? ", " : "") + ways[Below(random_, ways.size())];
        if (std::ranges::find(axis.values, text) == axis.values.end()) axis.values.push_back(text);
      }
      axis.yaml += "]}";
      example_.collapsed += count - axis.values.size();
    }
    axes_[group.empty() ? name : group][name] = axis;
  }

  void AddExclusion() {
    std::map<std::string, std::vector<std::string>> exclusion;
    for (const auto& [key, axes] : axes_) {
      for (const auto& [name, axis] : axes) {
        if (Below(random_, 2)) continue;
        for (const std::string& value : axis.values) {
          if (Below(random_, 2)) exclusion[name].push_back(value);
        }
      }
    }
    std::erase_if(exclusion, [](const auto& term) { return term.second.empty(); });
    if (!exclusion.empty()) exclusions_.push_back(exclusion);
  }

  std::string Yaml() {
    std::vector<std::string> lines = {"  place_field_values: {value: gaussian}\n"};
    for (const auto& [key, axes] : axes_) {
      const bool group = axes.size() > 1 || !axes.contains(key);
      std::string block = group ? "  " + key + ":\n    parameters:\n" : "";
      for (const auto& [name, axis] : axes) {
        block += (group ? "      " : "  ") + name + ": " + axis.yaml + "\n";
      }
      lines.push_back(block);
    }
    std::shuffle(lines.begin(), lines.end(), random_);
    std::string yaml = "method: grid\nparameters:\n";
    for (const std::string& line : lines) yaml += line;
    if (cap_ > 0) yaml += "run_cap: " + std::to_string(cap_) + "\n";
    yaml += "gridsweep:\n  priority: 1\n";
    if (seeds_ > 0) yaml += "  seeds: " + std::to_string(seeds_) + "\n";
    if (!exclusions_.empty()) yaml += "  exclude:\n";
    for (const auto& exclusion : exclusions_) {
      std::string line;
      for (const auto& [name, values] : exclusion) {
        std::string list;
        for (const std::string& value : values) {
          // The comma of a distribution would end the value.
          const char* quote = value.find('(') == std::string::npos ? "" : "'";
          list += (list.empty() ? "" : ", ") + (quote + value + quote);
        }
        line += (line.empty() ? "" : ", ") + name + ": [" + list + "]";
      }
      yaml += "    - {" + line + "}\n";
    }
    return yaml;
  }

  bool Excluded(const Point& point) const {
    return std::ranges::any_of(exclusions_, [&](const auto& exclusion) {
      return std::ranges::all_of(exclusion, [&](const auto& term) {
        return std::ranges::find(term.second, point.at(term.first)) != term.second.end();
      });
    });
  }

  // Nested loops: one level a recursion, in the order of names, seeds innermost.
  void Expand() {
    std::vector<std::pair<std::string, std::vector<std::string>>> levels;
    for (const auto& [key, axes] : axes_) {
      for (const auto& [name, axis] : axes) levels.emplace_back(name, axis.values);
    }
    if (seeds_ > 0) {
      levels.emplace_back("seed", std::vector<std::string>{});
      for (size_t seed = 0; seed < seeds_; ++seed) {
        levels.back().second.push_back(std::to_string(seed));
      }
    }
    Point point;
    Loop(levels, 0, point);
  }
  void Loop(const std::vector<std::pair<std::string, std::vector<std::string>>>& levels,
            size_t level, Point& point) {
    if (cap_ > 0 && example_.points.size() >= cap_) return;
    if (level == levels.size()) {
      if (Excluded(point)) {
        ++example_.excluded;
      } else {
        example_.points.push_back(point);
      }
      return;
    }
    for (const std::string& value : levels[level].second) {
      point[levels[level].first] = value;
      Loop(levels, level + 1, point);
    }
  }

  Random random_;
  Example example_;
  std::map<std::string, std::map<std::string, Axis>> axes_;  // parameter or group -> parameters
  std::vector<std::map<std::string, std::vector<std::string>>> exclusions_;
  size_t seeds_ = 0, cap_ = 0;
};

// The parameters of `like`, of each run.
std::vector<Point> PointsOf(const std::vector<science::RunConfig>& runs, const Point& like) {
  std::vector<Point> points;
  for (const auto& run : runs) {
    Point point;
    for (const auto& [name, value] : like) {
      point[name] = ValueText(science::FindParameter(name)->get(run));
    }
    points.push_back(point);
  }
  return points;
}

TEST(GridExpansion, IsTheNestedLoopOverTheAxesForRandomFiles) {
  size_t empty = 0, with_collapse = 0, with_exclusion = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const Example example = ExampleMaker(seed).Make();
    SCOPED_TRACE(example.yaml);
    const ExpandResult result = Expanded(example.yaml);
    if (example.points.empty()) {
      ASSERT_THAT(Errors(result), ElementsAre(HasSubstr("exclude leaves no run")));
      ++empty;
      continue;
    }
    ASSERT_THAT(Errors(result), ElementsAre());
    ASSERT_EQ(PointsOf(result.sweep->runs, example.points.front()), example.points);
    ASSERT_EQ(result.sweep->collapsed, example.collapsed);
    ASSERT_EQ(result.sweep->excluded, example.excluded);
    std::set<std::string> distinct;
    for (const auto& run : result.sweep->runs) distinct.insert(CanonicalJson(run));
    ASSERT_EQ(distinct.size(), example.points.size());
    with_collapse += example.collapsed > 0;
    with_exclusion += example.excluded > 0;
  }
  // The files are of all sorts.
  EXPECT_GT(empty, 10u);
  EXPECT_GT(with_collapse, 500u);
  EXPECT_GT(with_exclusion, 300u);
}

TEST(GridExpansion, KeysAreSortedByNameAndTheLastVariesFastest) {
  const auto runs =
      Runs(Expanded(Grid("seed: {values: [7, 3]}\n"
                         "Ng: {values: [32, 16]}\n"
                         "activation: {values: [tanh, relu]}")));
  std::vector<std::string> order;
  for (const auto& run : runs) {
    order.push_back(std::to_string(run.Ng) +
                    ValueText(science::FindParameter("activation")->get(run)) +
                    std::to_string(run.seed));
  }
  // Capitals sort before small letters, as in Python; values keep the file's order.
  EXPECT_THAT(order, ElementsAre("32tanh7", "32tanh3", "32relu7", "32relu3", "16tanh7", "16tanh3",
                                 "16relu7", "16relu3"));
}

TEST(GridExpansion, SeedsAreTheInnermostAxisAndConstantsAreNone) {
  const auto runs = Runs(
      Expanded(Grid("weight_decay: {values: [0, 1]}\nNg: {value: 4}", "gridsweep: {seeds: 3}\n")));
  std::vector<std::pair<double, int64_t>> order;
  for (const auto& run : runs) order.emplace_back(run.weight_decay, run.seed);
  EXPECT_THAT(order, ElementsAre(std::pair(0, 0), std::pair(0, 1), std::pair(0, 2), std::pair(1, 0),
                                 std::pair(1, 1), std::pair(1, 2)));
}

TEST(GridExpansion, AGridWithoutAxesIsOneRun) {
  EXPECT_EQ(Runs(Expanded("method: grid\nparameters: {place_field_values: {value: polar}}")).size(),
            1u);
}

TEST(GridExpansion, RunCapKeepsTheFirstPoints) {
  const std::string axes = "Ng: {min: 1, max: 50}\nseed: {min: 0, max: 9}";
  const auto all = Runs(Expanded(Grid(axes)));
  ASSERT_EQ(all.size(), 500u);
  for (size_t cap : {1, 10, 499, 500, 501}) {
    const auto capped = Runs(Expanded(Grid(axes, "run_cap: " + std::to_string(cap) + "\n")));
    ASSERT_EQ(capped.size(), std::min<size_t>(cap, 500));
    EXPECT_TRUE(std::equal(capped.begin(), capped.end(), all.begin()));
  }
}

TEST(GridExpansion, MoreThanAMillionPointsAreRefusedUnlessRunCapIsThere) {
  const std::string axes = "seed: {min: 0, max: 999999}\nNg: {min: 1, max: 1000000}";
  EXPECT_THAT(Errors(Expanded(Grid(axes))),
              ElementsAre(AllOf(HasSubstr("2:1 parameters: "), HasSubstr("1,000,000,000,000 runs"),
                                HasSubstr("at most 1,000,000"), HasSubstr("run_cap"))));
  EXPECT_EQ(Runs(Expanded(Grid(axes, "run_cap: 5\n"))).size(), 5u);
  // Where exclusions might help, there is a limit to what is walked.
  EXPECT_THAT(Errors(Expanded(Grid(axes, "gridsweep: {exclude: [{Ng: 1}]}\n"))),
              ElementsAre(HasSubstr("1,000,000,000,000 runs")));
  // 10^20 overflows 64 bits.
  EXPECT_THAT(Errors(Expanded(Grid(axes + "\nbatch_size: {min: 1, max: 10000}\n"
                                          "n_epochs: {min: 1, max: 10000}"))),
              ElementsAre(HasSubstr("more than 10^19 runs")));
}

TEST(GridExpansion, TheLimitIsExact) {
  const std::string axes = "seed: {min: 0, max: 9}\nNg: {values: [1, 2]}";
  EXPECT_EQ(Runs(Expanded(Grid(axes), {.runs = {}, .max_runs = 20})).size(), 20u);
  EXPECT_FALSE(Expanded(Grid(axes), {.runs = {}, .max_runs = 19}).sweep);
  // Exclusions bring it under the limit.
  const std::string exclude = "gridsweep: {exclude: [{Ng: 1}]}\n";
  EXPECT_EQ(Runs(Expanded(Grid(axes, exclude), {.runs = {}, .max_runs = 10})).size(), 10u);
  EXPECT_FALSE(Expanded(Grid(axes, exclude), {.runs = {}, .max_runs = 9}).sweep);
  EXPECT_FALSE(
      Expanded(Grid("Ng: {value: 1}", "gridsweep: {seeds: 10}\n"), {.runs = {}, .max_runs = 9})
          .sweep);
}

}  // namespace
}  // namespace gridsweep::sweepspec
