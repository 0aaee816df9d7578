// What valid files are told: what W&B would understand otherwise, and what has
// no effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/strings.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// The remarks of a file that must be valid.
std::vector<std::string> RemarksOf(const std::string& yaml) {
  const ExpandResult result = Expanded(yaml);
  EXPECT_THAT(Errors(result), IsEmpty());
  return Remarks(result);
}

TEST(Notices, AnOrdinaryFileHasNone) {
  EXPECT_THAT(RemarksOf(Grid("Ng: {values: [16, 32]}\nlearning_rate: {value: 0.001}",
                             "name: mine\ndescription: what it is for\ngridsweep: {seeds: 2}\n")),
              IsEmpty());
}

TEST(Notices, NumbersThatAreTextToWandbOnceAParameter) {
  EXPECT_THAT(RemarksOf(Grid("learning_rate: {values: [1.0e-4, 1e-3, 1e-2]}\nNg: {value: 3e2}")),
              ElementsAre(StartsWith("4:36 parameters.learning_rate.values[1]: 1e-3 is a number "
                                     "here, but text to W&B; 1.0e-3 is the same number to both"),
                          StartsWith("5:15 parameters.Ng.value: 3e2 is")));
  EXPECT_THAT(RemarksOf(Random("learning_rate: {min: 1e-4, max: 1e-2}", "run_cap: 1e1\n")),
              ElementsAre(StartsWith("4:24 parameters.learning_rate.min: 1e-4 is"),
                          StartsWith("5:10 run_cap: 1e1 is")));
  EXPECT_THAT(RemarksOf(Random("Ng: {values: [1, 2], probabilities: [1e-1, 0.9]}", "run_cap: 1\n")),
              ElementsAre(StartsWith("4:40 parameters.Ng.probabilities: 1e-1 is")));
  // In quotes it is text to both, and no number.
  EXPECT_THAT(Errors(Expanded(Grid("learning_rate: {value: '1e-4'}"))),
              ElementsAre(HasSubstr("write it without quotes")));
}

TEST(Notices, EqualValuesCollapseAndTheNoticeSaysWhich) {
  const auto result =
      Expanded(Grid("Ng: {values: [1, 2, 1.0, 4, 2]}\n"
                    "rnn_type: {values: [SRNN, vanillarnn]}\n"
                    "place_cell_rf: {values: ['Uniform(0.1,0.2)', "
                    "'Uniform( 0.1 , 0.20 )']}"));
  EXPECT_EQ(Runs(result).size(), 3u);
  EXPECT_EQ(result.sweep->collapsed, 4u);
  EXPECT_THAT(Remarks(result),
              testing::IsSupersetOf(
                  {StartsWith("4:23 parameters.Ng.values[2]: 1, 2 equal earlier values"),
                   StartsWith("5:29 parameters.rnn_type.values[1]: SRNN equals an earlier value"),
                   StartsWith("6:48 parameters.place_cell_rf.values[1]: Uniform( 0.1 , 0.2 ) "
                              "equals an earlier value")}));
  EXPECT_THAT(RemarksOf(Grid("Ng: {values: [5, 5, 5, 5, 5]}")),
              ElementsAre(HasSubstr("4 values equal earlier ones (5, 5, 5, ...)")));
}

TEST(Notices, KeysWithoutEffectHaveOneTogetherAndAreKept) {
  const auto result = Expanded(
      "program: train.py\nmethod: grid\nproject: p\nentity: e\n"
      "metric: {name: loss, goal: minimize, target: 0.1, impute: best}\n"
      "command: [python, '${program}', '${args}']\ncontroller: {type: local}\njob: j\n"
      "image_uri: i\nkind: sweep\napiVersion: 1\ndescription: words\n"
      "parameters: {place_field_values: {value: gaussian}}\n");
  EXPECT_THAT(
      Remarks(result),
      ElementsAre(AllOf(StartsWith("1:1 program: program, project, entity, metric, command, "
                                   "controller, job, image_uri, kind, apiVersion have no "
                                   "effect here"))));
  const auto metadata = nlohmann::json::parse(result.sweep.value().metadata_json);
  EXPECT_EQ(metadata["metric"]["target"], 0.1);
  EXPECT_EQ(metadata["command"][1], "${program}");
  EXPECT_EQ(metadata["description"], "words");
  EXPECT_FALSE(metadata.contains("method"));
}

TEST(Notices, BooleansAreThoseOfWandb) {
  const auto runs = Runs(Expanded(Grid("is_periodic: {values: [on, off]}")));
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_TRUE(runs[0].is_periodic);
  EXPECT_FALSE(runs[1].is_periodic);
  EXPECT_TRUE(Runs(Expanded(Grid("is_periodic: {value: Yes}"))).front().is_periodic);
  EXPECT_FALSE(Runs(Expanded(Grid("is_periodic: {value: no}"))).front().is_periodic);
}

TEST(Notices, GroupsOfParametersAreReadAsIfThereWereNone) {
  const auto result =
      Expanded(Grid("model: {parameters: {Ng: {values: [1, 2]}, deep: {parameters: "
                    "{Np: {value: 9}}}}}\n"
                    "other: {parameters: {seed: {value: 3}}}"));
  EXPECT_THAT(Remarks(result), ElementsAre(StartsWith("4:3 parameters.model: groups have no")));
  const auto runs = Runs(result);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].Ng, 2);
  EXPECT_EQ(runs[1].Np, 9);
  EXPECT_EQ(runs[1].seed, 3);
}

TEST(Notices, SettingsThatDoNothingSaySo) {
  EXPECT_THAT(RemarksOf(Grid("",
                             "gridsweep:\n  sampler_seed: 3\n  checkpoint_interval: 90s\n"
                             "  reuse: false\n  exclude: [{Ng: 7}]\n")),
              ElementsAre(StartsWith("5:3 gridsweep.sampler_seed: has no effect on a grid"),
                          StartsWith("8:13 gridsweep.exclude[0]: this matches no point")));
}

TEST(Notices, RunCapSaysWhatItLeavesOut) {
  EXPECT_THAT(RemarksOf(Grid("Ng: {min: 1, max: 2000}", "run_cap: 7\n")),
              ElementsAre(StartsWith("5:10 run_cap: run_cap keeps the first 7 of 2,000 points")));
  EXPECT_THAT(RemarksOf(Grid("Ng: {min: 1, max: 7}", "run_cap: 7\n")), IsEmpty());
}

TEST(Settings, ResourcesAreReadInTheirUnits) {
  const std::pair<const char*, uint64_t> sizes[] = {{"8GiB", uint64_t{8} << 30},
                                                    {"512 MiB", uint64_t{512} << 20},
                                                    {"4096", 4096},
                                                    {"1TiB", uint64_t{1} << 40}};
  for (const auto& [text, bytes] : sizes) {
    const auto result =
        Expanded(Grid("", StrCat("gridsweep: {resources: {class: gpu, memory: ", text, "}}\n")));
    ASSERT_TRUE(result.sweep.has_value()) << text;
    const v1::Resources& resources = result.sweep->settings.resources();
    EXPECT_EQ(resources.resource_class(), "gpu");
    EXPECT_EQ(resources.memory_bytes(), bytes) << text;
  }
}

TEST(Notices, ACheckpointIntervalIsATime) {
  const auto result = Expanded(Grid("", "gridsweep: {checkpoint_interval: 1m30s}\n"));
  EXPECT_EQ(result.sweep.value().settings.checkpoint_interval().seconds(), 90);
  for (const char* wrong : {"10", "soon", "0s", "1000h", "[1m]"}) {
    EXPECT_THAT(
        Errors(Expanded(Grid("", StrCat("gridsweep: {checkpoint_interval: ", wrong, "}\n")))),
        ElementsAre(testing::HasSubstr("write 1s to 720h")))
        << wrong;
  }
}

TEST(Notices, WhomToTellIsAWebAddress) {
  const std::string url = "https://hooks.example.org:8443/sweeps?room=a%20b";
  const auto result = Expanded(Grid("", StrCat("gridsweep: {notify: \"", url, "\"}\n")));
  EXPECT_EQ(result.sweep.value().settings.notify_url(), url);
  EXPECT_TRUE(Expanded(Grid("", "gridsweep: {notify: \"http://[::1]/x\"}\n")).sweep.has_value());
  for (const std::string wrong :
       {"7", "[x]", "''", "mail@example.org", "ftp://host/x", "\"http://\"", "\"https://u:p@host\"",
        "\"http://host/a b\"", "\"http://host/\\n\"", "\"http://host:70000/\"",
        "\"http://host/#here\""}) {
    EXPECT_THAT(Errors(Expanded(Grid("", StrCat("gridsweep: {notify: ", wrong, "}\n")))),
                ElementsAre(testing::HasSubstr("write https://HOST/PATH")))
        << wrong;
  }
}

TEST(Notices, SettingsReachTheSweep) {
  const auto result =
      Expanded(Grid("",
                    "name: 7\ngridsweep: {priority: -2, max_parallel: 4, max_attempts: 5, "
                    "labels: {lab: mine, year: 2022}}\n"));
  const auto& settings = result.sweep.value().settings;
  EXPECT_EQ(result.sweep->name, "7");
  EXPECT_EQ(settings.priority(), -2);
  EXPECT_EQ(settings.max_parallel(), 4u);
  EXPECT_EQ(settings.max_attempts(), 5u);
  EXPECT_EQ(settings.labels().at("lab"), "mine");
  EXPECT_EQ(settings.labels().at("year"), "2022");
}

}  // namespace
}  // namespace gridsweep::sweepspec
