// How a file's text is read: scalars, places, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/strings.h"
#include "sweepspec/yaml_tree.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The one error of a text that cannot be read, as "line:column path: message".
std::string FaultOf(const std::string& text) {
  Notices notices;
  if (ParseYaml(text, notices)) return "(none)";
  ExpandResult result;
  result.notices = notices.Take();
  const auto errors = Errors(result);
  EXPECT_EQ(errors.size(), 1u);
  return errors.empty() ? "" : errors.front();
}

YamlNode Value(const std::string& scalar) {
  Notices notices;
  const auto root = ParseYaml("v: " + scalar + "\n", notices);
  EXPECT_TRUE(root) << scalar;
  return root ? root->entries.at(0).value : YamlNode{};
}

// Checked against PyYAML 6.0's safe_load, W&B's reader.
TEST(YamlScalar, IsWhatWandbReads) {
  const std::pair<const char*, const char*> cases[] = {
      {"1", "1"},
      {"-7", "-7"},
      {"+3", "3"},
      {"1_000", "1000"},
      {"0", "0"},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"9.", "9"},
      {"1.0e-4", "0.0001"},
      {"3.0E+6", "3000000"},
      {"true", "true"},
      {"True", "true"},
      {"yes", "true"},
      {"On", "true"},
      {"FALSE", "false"},
      {"no", "false"},
      {"off", "false"},
      {"~", "null"},
      {"null", "null"},
      {"", "null"},
      {".inf", "inf"},
      {"-.INF", "-inf"},
      {".nan", "nan"},
      {"y", "\"y\""},
      {"tRue", "\"tRue\""},
      {"'1'", "\"1\""},
      {"\"no\"", "\"no\""},
      {"1e", "\"1e\""},
      {"1.2.3", "\"1.2.3\""},
      {"0x1F", "\"0x1F\""},
      {"relu", "\"relu\""},
      {"99999999999999999999", "100000000000000000000"},
  };
  for (const auto& [text, expected] : cases) {
    const YamlNode node = Value(text);
    EXPECT_EQ(ScalarText(node.scalar), expected) << text;
    EXPECT_EQ(node.wandb_spelling, "") << text;
  }
}

TEST(YamlScalar, NumbersThatWandbReadsAsTextHaveASpellingForBoth) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"1e-4", "0.0001", "1.0e-4"}, {"3e6", "3000000", "3.0e+6"},  {"1.5e3", "1500", "1.5e+3"},
      {"1E5", "100000", "1.0e+5"},  {"-2e-7", "-2e-7", "-2.0e-7"}, {"-.5", "-0.5", "-0.5"},
      {".5e3", "500", "0.5e+3"},    {"1e+3", "1000", "1.0e+3"},
  };
  for (const auto& [text, value, spelling] : cases) {
    const YamlNode node = Value(text);
    EXPECT_EQ(ScalarText(node.scalar), value) << text;
    EXPECT_EQ(node.wandb_spelling, spelling) << text;
    const YamlNode again = Value(spelling);
    EXPECT_EQ(ScalarText(again.scalar), value) << spelling;
    EXPECT_EQ(again.wandb_spelling, "") << spelling;
  }
}

TEST(YamlTree, EveryNodeKnowsItsLineAndColumn) {
  Notices notices;
  const auto root = ParseYaml("a: 1\nlist:\n  - x\n  - {k: v}\n", notices);
  ASSERT_TRUE(root);
  const YamlEntry& list = *root->Find("list");
  EXPECT_EQ(std::pair(list.line, list.column), std::pair(2u, 1u));
  EXPECT_EQ(std::pair(list.value.items[0].line, list.value.items[0].column), std::pair(3u, 5u));
  const YamlEntry& inner = list.value.items[1].entries[0];
  EXPECT_EQ(std::pair(inner.line, inner.column), std::pair(4u, 6u));
  EXPECT_EQ(std::pair(inner.value.line, inner.value.column), std::pair(4u, 9u));
}

TEST(YamlTree, AliasesStandForWhatTheyName) {
  Notices notices;
  const auto root = ParseYaml("a: &x [1, 2]\nb: *x\n", notices);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->Find("b")->value.items.size(), 2u);
  EXPECT_EQ(root->Find("b")->value.line, 2u);
}

TEST(YamlTree, RefusesWithAPlace) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"", "1:1 : ", "the file is empty"},
      {"a: 1\nb: 2\na: 3\n", "3:1 a: ", "\"a\" is there twice"},
      {"p:\n  q: {x: 1, x: 2}\n", "2:13 p.q.x: ", "\"x\" is there twice"},
      {"p:\n  - 1\n  - {x: 1, x: 2}\n", "3:12 p[1].x: ", "there twice"},
      {"a: {b: 1\n", "2:1 a: ", "a { or a quote is not closed"},
      {"a: [1, 2\nb: 3\n", "", "a [ or a quote is not closed"},
      {"a: b: c\n", "1:5 : ", "a colon where no key can stand"},
      {"a:\n\tb: 1\n", "2:1 : ", "a tab in the indentation; YAML allows spaces alone"},
      {"a:\n  b: 1\n\tc: 2\n", "3:1 : ", "a tab in the indentation"},
      {"a:\n  - b: 1\n\t  c: 2\nd: 3\n", "3:1 : ", "a tab in the indentation"},
      {"a:\n  b: 1\n c: 2\n", "3:2 : ", "indented like none above"},
      {"a:\n b: 1\n  c: 2\n", "3:4 a: ", "mend the indentation"},
      {"a: *x\n", "1:4 a: ", "anchor is not defined"},
      {"a: &x [*x]\n", "1:8 a[0]: ", "names the node that it stands in"},
      {"[a]: 1\n", "1:1 : ", "this key is not text"},
      {"a: &x {b: 1}\nc:\n  <<: *x\n", "3:3 c: ", "merge keys (<<) are not supported"},
      {"a: !!binary aGk=\n", "1:4 a: ", "has no meaning here"},
      {"a: !mine 3\n", "1:4 a: ", "has no meaning here"},
      {"a: !!int x\n", "1:4 a: ", "\"x\" is not what its tag says"},
      {"a: 010\n", "1:4 a: ", "starts with 0"},
      {"a: 1\n---\nb: 2\n", "3:1 : ", "a second document"},
      {"a: \"\\0\"\n", "1:4 a: ", "NUL"},
      {"a: 1\nb: \x01\n", "2:4 : ", "control character 1"},
      {"\xC3\xA4: \x01\n", "1:5 : ", "control character 1"},
      {"a: \xC2\x9B" "31m\n", "1:4 : ", "control character 155"},
      {"a: \xFF\n", "1:4 : ", "not UTF-8"},
      {"a: \xC0\x80\n", "1:4 : ", "not UTF-8"},
      {"a: \xED\xA0\x80\n", "1:4 : ", "not UTF-8"},
      {"a: \xF4\x90\x80\x80\n", "1:4 : ", "not UTF-8"},
      {"a: \xE2\x82\n", "1:4 : ", "not UTF-8"},
  };
  for (const auto& [text, place, message] : cases) {
    EXPECT_THAT(FaultOf(text), AllOf(testing::StartsWith(place), HasSubstr(message))) << text;
  }
}

TEST(YamlTree, SizesAreBounded) {
  EXPECT_THAT(FaultOf("a: " + std::string(5 << 20, 'x')), HasSubstr("at most 4194304"));
  std::string deep;
  for (int i = 0; i < 65; ++i) deep += "[";
  EXPECT_THAT(FaultOf("a: " + deep), HasSubstr("nested deeper than 64 levels"));
  std::string many = "a: [";
  for (int i = 0; i < 500'001; ++i) many += "1,";
  EXPECT_THAT(FaultOf(many + "]"), HasSubstr("more than 500000 values"));
  // Ten lists of ten aliases each: 10^10 values in few bytes.
  std::string bomb = "a0: &a0 [1]\n";
  for (int i = 1; i <= 10; ++i) {
    bomb += StrCat("a", i, ": &a", i, " [");
    for (int k = 0; k < 10; ++k) bomb += StrCat("*a", i - 1, ",");
    bomb += "]\n";
  }
  EXPECT_THAT(FaultOf(bomb), HasSubstr("more than 500000 values"));
}

TEST(YamlTree, AnyBytesAtAllAreAnsweredNeverThrown) {
  const std::string file = ReadFile("sweeps/quickstart.yaml");
  uint64_t state = 1;
  const auto next = [&](size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>((state >> 33) % n);
  };
  const std::string alphabet = "{}[]:,&*!|>'\"%@`#-?\n\t 0\x80\xFF~<";
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = file;
    for (size_t k = 0; k <= next(4); ++k) text[next(text.size())] = alphabet[next(alphabet.size())];
    if (next(4) == 0) text.resize(next(text.size()));
    const ExpandResult result = ExpandYaml(text);
    refused += !result.sweep;
    EXPECT_EQ(result.sweep.has_value(), Errors(result).empty()) << text;
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace gridsweep::sweepspec
