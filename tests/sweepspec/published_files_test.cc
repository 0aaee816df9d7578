// The published sweep files (data/wandb-sweeps, unchanged) and our own recipes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "science/config/parameters.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Published(const std::string& name) {
  return ReadFile("tests/data/wandb-sweeps/" + name + ".yaml");
}

TEST(PublishedFiles, AreAllHere) {
  int files = 0;
  const std::filesystem::path folder(GRIDSWEEP_SOURCE_DIR "/tests/data/wandb-sweeps");
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 24);
}

TEST(PublishedFiles, GridsHaveTheirPublishedSizes) {
  const std::map<std::string, size_t> sizes = {
      {"cartesian_mse", 3456},
      {"cartesianhighdim_mse", 1152},
      {"debug_polarhighdim_mse", 6},
      {"pc_ce_dog_global", 7680},
      {"pc_ce_dog_global_good_grid_cells_architecture", 40},
      {"pc_ce_dog_global_good_grid_cells_optimizer", 16},
      {"pc_ce_dog_global_good_grid_cells_optimizer_2", 16},
      {"pc_ce_dog_ideal", 6},
      {"pc_ce_dog_multiple_scales", 240},
      {"pc_ce_dog_nayebi", 100},
      {"pc_ce_g", 1024},
      {"pc_ce_g_multiple_scales", 96},
      {"pc_ce_general_dog_global_random", 1452},
      {"pc_ce_softmax_of_diff_global", 288},
      {"pc_ce_true_dog_global", 2352},
      {"pc_mse_dog_global_other", 648},
      {"pc_mse_g_global_other", 216},
  };
  for (const auto& [name, size] : sizes) {
    const auto result = Expanded(Published(name));
    EXPECT_EQ(Runs(result).size(), size) << name;
    ASSERT_TRUE(result.sweep) << name;
    EXPECT_EQ(result.sweep->method, "grid");
    EXPECT_EQ(result.sweep->collapsed, 0u) << name;
    EXPECT_EQ(result.sweep->excluded, 0u) << name;
  }
}

TEST(PublishedFiles, RandomOnesAskForANumberAndAreNeverEnumerated) {
  for (const char* name : {"cartesian_mse_random", "pc_ce_dog_global_random", "pc_ce_g_random",
                           "polarhighdim_mse_random"}) {
    const auto asked = Expanded(Published(name));
    EXPECT_TRUE(Runs(asked).empty()) << name;
    ASSERT_TRUE(asked.sweep) << name;
    EXPECT_TRUE(asked.sweep->needs_run_count) << name;
    EXPECT_THAT(Remarks(asked), testing::Contains(HasSubstr("run_cap"))) << name;
    EXPECT_EQ(Runs(Expanded(Published(name), {.runs = 500})).size(), 500u) << name;
  }
}

TEST(PublishedFiles, KeepWhatHasNoEffectAsMetadataWithOneNotice) {
  const auto result = Expanded(Published("pc_ce_dog_ideal"));
  EXPECT_THAT(Remarks(result),
              ElementsAre(AllOf(HasSubstr("1:1 program: "),
                                HasSubstr("program, project, metric have no effect here"))));
  const auto metadata = nlohmann::json::parse(result.sweep.value().metadata_json);
  EXPECT_EQ(metadata["project"], "mec-hpc-investigations");
  EXPECT_EQ(metadata["metric"]["name"], "pos_decoding_err");
}

TEST(PublishedFiles, LocalNormalizationIsRefusedWhereItStands) {
  for (const char* name : {"pc_mse_dog_local_other", "pc_mse_g_local_other"}) {
    const auto result = Expanded(Published(name));
    EXPECT_FALSE(result.sweep) << name;
    EXPECT_THAT(Errors(result),
                ElementsAre(AllOf(HasSubstr("parameters.place_field_normalization.values[0]: "),
                                  HasSubstr("\"local\""), HasSubstr("use global or none"))));
  }
}

TEST(PublishedFiles, DifferenceWithoutASurroundIsRefusedWhereItStands) {
  const auto result = Expanded(Published("pc_ce_g_multiple_fields_and_scales"));
  EXPECT_FALSE(result.sweep);
  EXPECT_THAT(Errors(result),
              ElementsAre(AllOf(HasSubstr("parameters.surround_scale.values[0]: "),
                                HasSubstr("difference_of_gaussians"), HasSubstr("> 1"))));
}

TEST(PublishedFiles, QuirksAreRead) {
  // place_cell_rf 0 and surround_scale 1 where the readout has neither.
  const auto cartesian = Runs(Expanded(Published("cartesian_mse"))).front();
  EXPECT_EQ(cartesian.place_cell_rf, science::Draw::Constant(0));
  EXPECT_EQ(cartesian.surround_scale, science::Draw::Constant(1));
  // n_place_fields_per_cell: 1.0, and distributions of widths.
  EXPECT_EQ(Runs(Expanded(Published("pc_ce_dog_global"))).front().n_place_fields_per_cell,
            science::Draw::Constant(1));
  EXPECT_EQ(Runs(Expanded(Published("pc_ce_g_multiple_scales"))).front().place_cell_rf,
            science::Draw::Uniform(0.1, 0.3));
  EXPECT_EQ(ReadoutLabel(Runs(Expanded(Published("pc_ce_dog_multiple_scales"))).back()),
            "DoS multi-scale");
}

TEST(Quickstart, IsNineRunsOfTheSmallRecipe) {
  const auto result = Expanded(ReadFile("sweeps/quickstart.yaml"));
  const auto runs = Runs(result);
  EXPECT_THAT(Remarks(result), ElementsAre());
  ASSERT_EQ(runs.size(), 9u);
  std::map<std::string, std::vector<int64_t>> seeds;
  for (const auto& run : runs) {
    seeds[ReadoutLabel(run)].push_back(run.seed);
    const bool cartesian = run.place_field_values == science::Readout::kCartesian;
    EXPECT_EQ(run.Np, cartesian ? 2 : 256);
    EXPECT_EQ(run.place_field_loss, cartesian ? science::Loss::kMse : science::Loss::kCrossEntropy);
    EXPECT_EQ(run.Ng, 128);
    EXPECT_EQ(run.TotalSteps(), 6000);
    EXPECT_EQ(run.eval_batches * run.batch_size * run.eval_sequence_length, 100'000);
    EXPECT_EQ(run.weight_decay, 1e-4);
    EXPECT_EQ(run.chance_units, 0);
  }
  EXPECT_THAT(seeds, ElementsAre(std::pair("Cartesian Low Dim", std::vector<int64_t>{0, 1, 2}),
                                 std::pair("DoS", std::vector<int64_t>{0, 1, 2}),
                                 std::pair("Gaussian", std::vector<int64_t>{0, 1, 2})));
}

}  // namespace
}  // namespace gridsweep::sweepspec
