// Sweeps given as data, v1::SweepSpec.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "science/config/parameters.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ExpandResult Spec(const std::string& text) {
  v1::SweepSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
  return ExpandSpec(spec);
}

TEST(SweepSpec, AxesKeepTheirOrderAndTheLastVariesFastest) {
  const auto runs =
      Runs(Spec("base { place_field_values: 'gaussian' Np: 9 } seeds: 2 "
                "axes { parameter: 'weight_decay' values_json: '1' values_json: '0' } "
                "axes { parameter: 'Ng' values_json: '8' values_json: '4.0' }"));
  std::vector<std::string> order;
  for (const auto& run : runs) {
    order.push_back(std::to_string(static_cast<int>(run.weight_decay)) + std::to_string(run.Ng) +
                    std::to_string(run.seed));
    EXPECT_EQ(run.Np, 9);
  }
  EXPECT_THAT(order, ElementsAre("180", "181", "140", "141", "080", "081", "040", "041"));
}

TEST(SweepSpec, ValuesAreJsonOfAnyKind) {
  const auto runs =
      Runs(Spec("axes { parameter: 'place_field_values' values_json: '\"gaussian\"' } "
                "axes { parameter: 'is_periodic' values_json: 'true' } "
                "axes { parameter: 'place_cell_rf' values_json: '\"Uniform( 0.1 , 0.2 )\"' "
                "values_json: '0.3' values_json: '3e-1' }"));
  ASSERT_EQ(runs.size(), 2u);  // 0.3 and 3e-1 are equal
  EXPECT_TRUE(runs[0].is_periodic);
  EXPECT_EQ(runs[0].place_cell_rf, science::Draw::Uniform(0.1, 0.2));
}

TEST(SweepSpec, SettingsAndNameReachTheSweep) {
  const auto result = Spec(
      "name: 'mine' base { place_field_values: 'gaussian' } "
      "settings { priority: 3 labels { key: 'a' value: 'b' } }");
  EXPECT_EQ(result.sweep.value().name, "mine");
  EXPECT_EQ(result.sweep->method, "grid");
  EXPECT_EQ(result.sweep->settings.priority(), 3);
  EXPECT_EQ(result.sweep->runs.size(), 1u);
}

TEST(SweepSpec, FaultsAreNamedByTheirFieldPath) {
  const std::tuple<const char*, const char*, const char*> faults[] = {
      {"", "0:0 spec.base.place_field_values: ", "is missing"},
      {"base { place_field_values: 'gausian' }",
       "0:0 spec.base.place_field_values: ", "did you mean \"gaussian\"?"},
      {"base { place_field_values: 'gaussian' Ng: 0 }", "0:0 spec.base.Ng: ", "0 is not >= 1"},
      {"base { place_field_values: 'gaussian' Np: 2 }", "0:0 spec.base.Np: ", "use Np >= 3"},
      {"base { place_field_values: 'gaussian' } axes { parameter: 'Mg' values_json: '1' }",
       "0:0 spec.axes[0].parameter: ", "did you mean \"Ng\"?"},
      {"base { place_field_values: 'gaussian' } axes { parameter: 'Ng' }",
       "0:0 spec.axes[0].values_json: ", "is empty"},
      {"base { place_field_values: 'gaussian' } axes { parameter: 'Ng' values_json: 'x' }",
       "0:0 spec.axes[0].values_json[0]: ", "\"x\" is not a JSON number"},
      {"base { place_field_values: 'gaussian' } axes { parameter: 'Ng' values_json: '[1]' }",
       "0:0 spec.axes[0].values_json[0]: ", "is not a JSON number"},
      {"base { place_field_values: 'gaussian' } "
       "axes { parameter: 'Ng' values_json: '1' values_json: '1.5' }",
       "0:0 spec.axes[0].values_json[1]: ", "1.5 is not a whole number"},
      {"base { place_field_values: 'gaussian' } axes { parameter: 'Ng' values_json: '1' } "
       "axes { parameter: 'Ng' values_json: '2' }",
       "0:0 spec.axes[1].parameter: ", "Ng is the axis spec.axes[0] already"},
      {"base { place_field_values: 'gaussian' } seeds: 2 "
       "axes { parameter: 'seed' values_json: '1' }",
       "0:0 spec.seeds: ", "spec.axes[0] names the seeds already"},
      {"base { place_field_values: 'gaussian' } settings { max_attempts: 0 }",
       "0:0 spec.settings.max_attempts: ", "0 is not from 1 to 32767"},
      {"base { place_field_values: 'gaussian' } settings { max_parallel: 4000000000 }",
       "0:0 spec.settings.max_parallel: ", "is more than 2147483647"},
      {"name: 'a\\000b' base { place_field_values: 'gaussian' }",
       "0:0 spec.name: ", "control characters"},
      {"base { place_field_values: 'gaussian' } seeds: 1000001",
       "0:0 spec.base: ", "1,000,001 runs"},
  };
  for (const auto& [text, place, message] : faults) {
    const auto result = Spec(text);
    EXPECT_FALSE(result.sweep) << text;
    EXPECT_THAT(Errors(result), ElementsAre(AllOf(StartsWith(place), HasSubstr(message)))) << text;
  }
}

}  // namespace
}  // namespace gridsweep::sweepspec
