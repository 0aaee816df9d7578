#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "common/strings.h"
#include "science/theory/lattice_class.h"
#include "science/theory/pattern_formation.h"
#include "science/theory/readout_theory.h"
#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

v1::RunConfig& AddConfig(v1::ReadoutTheoryRequest& request, const std::string& readout,
                         double width = 0.12) {
  v1::RunConfig& config = *request.add_configs();
  config.set_place_field_values(readout);
  config.mutable_place_cell_rf()->set_constant(width);
  return config;
}

// A lattice and a readout that take milliseconds.
void MakeSmall(v1::ReadoutTheoryRequest& request) {
  request.set_lattice(16);
  request.set_eigenmaps(2);
  for (auto& config : *request.mutable_configs()) config.set_np(24);
}

class ReadoutTheoryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = new ResultWorld(); }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  static std::vector<v1::ReadoutTheoryResponse> Ask(const v1::ReadoutTheoryRequest& request) {
    grpc::ClientContext context;
    auto stream = world_->stub().ReadoutTheory(&context, request);
    std::vector<v1::ReadoutTheoryResponse> parts;
    v1::ReadoutTheoryResponse part;
    while (stream->Read(&part)) parts.push_back(part);
    const auto status = stream->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return parts;
  }
  static std::string Refusal(const v1::ReadoutTheoryRequest& request) {
    grpc::ClientContext context;
    auto stream = world_->stub().ReadoutTheory(&context, request);
    v1::ReadoutTheoryResponse part;
    EXPECT_FALSE(stream->Read(&part));
    const auto status = stream->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  }

  static ResultWorld* world_;
};
ResultWorld* ReadoutTheoryTest::world_ = nullptr;

TEST_F(ReadoutTheoryTest, AnswersWhatTheLibraryPredictsInTheOrderAskedFor) {
  v1::ReadoutTheoryRequest request;
  AddConfig(request, "difference_of_gaussians");
  AddConfig(request, "gaussian");
  AddConfig(request, "true_difference_of_gaussians");
  request.set_eigenmaps(0);
  const auto parts = Ask(request);
  ASSERT_EQ(parts.size(), 3u);
  const auto& dos = parts[0].theory();
  EXPECT_EQ(dos.readout(), "DoS");
  EXPECT_EQ(dos.config().np(), 512) << "defaults are written out";
  EXPECT_EQ(dos.ring(), v1::ReadoutTheory::RING_PREDICTED);
  const auto expected = *theory::PredictLattice(science::RunConfig(), {.eigenmaps = 0});
  EXPECT_EQ(dos.local_maximum().wavenumber(), expected.rings.local->wavenumber);
  EXPECT_EQ(dos.maximum().power(), expected.rings.maximum.power);
  EXPECT_EQ(dos.closed_form(), *expected.closed_forms.wavenumber);
  EXPECT_EQ(dos.closed_form(), dos.closed_form_equal_volumes());
  EXPECT_EQ(dos.published_one_dimensional(), *expected.closed_forms.published_one_dimensional);
  EXPECT_TRUE(dos.closed_form_dominates());
  EXPECT_DOUBLE_EQ(dos.wavelength_m(), 2 * M_PI / dos.local_maximum().wavenumber());
  ASSERT_EQ(dos.energies_size(), 3);
  EXPECT_EQ(dos.energies(0).lattice(), "hexagonal");
  EXPECT_EQ(dos.energies(0).cubic(), expected.energies[0].cubic);
  EXPECT_TRUE(std::equal(dos.radial_spectrum().begin(), dos.radial_spectrum().end(),
                         expected.radial.power.begin(), expected.radial.power.end()));
  EXPECT_TRUE(dos.sigma().empty());

  const auto& gaussian = parts[1].theory();
  EXPECT_EQ(gaussian.ring(), v1::ReadoutTheory::RING_NONE);
  EXPECT_FALSE(gaussian.has_local_maximum());
  EXPECT_FALSE(gaussian.has_wavelength_m());
  EXPECT_FALSE(gaussian.has_closed_form());

  const auto& dog = parts[2].theory();
  EXPECT_EQ(dog.ring(), v1::ReadoutTheory::RING_WEAK);
  EXPECT_LT(dog.local_maximum().height(), 0.03);
  EXPECT_EQ(dog.closed_form(), dog.closed_form_equal_heights());
  EXPECT_FALSE(dog.closed_form_dominates());
}

TEST_F(ReadoutTheoryTest, MapsAreSentWithZeroInTheMiddle) {
  v1::ReadoutTheoryRequest request;
  AddConfig(request, "difference_of_gaussians", 0.3);
  MakeSmall(request);
  request.set_with_maps(true);
  const auto parts = Ask(request);
  ASSERT_EQ(parts.size(), 1u);
  const auto sigma = Floats(parts[0].theory().sigma());
  const auto spectrum = Floats(parts[0].theory().spectrum());
  ASSERT_EQ(sigma.size(), 256u);
  ASSERT_EQ(spectrum.size(), 256u);
  EXPECT_EQ(Floats(parts[0].theory().eigenmaps()).size(), 512u);
  EXPECT_EQ(std::ranges::max_element(sigma) - sigma.begin(), 8 * 16 + 8);
  EXPECT_EQ(spectrum[8 * 16 + 8], 0);
  // Modes (+1, +2) and (-1, -2) are one.
  EXPECT_NEAR(spectrum[9 * 16 + 10], spectrum[7 * 16 + 6], 1e-6 * spectrum[9 * 16 + 10]);
  EXPECT_NE(spectrum[9 * 16 + 10], spectrum[9 * 16 + 8]);
}

TEST_F(ReadoutTheoryTest, ASweepsReadoutsAreEachAnsweredOnce) {
  std::vector<RunSpec> runs;
  for (int i = 0; i < 8; ++i) runs.push_back({.state = "pending", .scores = {}});
  const int64_t sweep_id = world_->AddSweep(runs);
  const int64_t first = std::stoll(
      world_->Ask(StrCat("select first_run_id from sweeps where sweep_id = ", sweep_id)));
  const auto set = [&](int run, const std::string& fields, int seed) {
    world_->Execute(StrCat("update runs set seed = ", seed, ", config = config || '{\"seed\":",
                           seed, ",\"Np\":24,", fields, "}' where run_id = ", first + run));
  };
  set(0, "\"place_field_values\":\"difference_of_gaussians\",\"place_cell_rf\":0.2", 5);
  set(1, "\"place_field_values\":\"gaussian\",\"surround_scale\":2", 3);
  set(2, "\"place_field_values\":\"difference_of_gaussians\",\"place_cell_rf\":0.2", 4);
  set(3, "\"place_field_values\":\"gaussian\",\"surround_scale\":0", 2);
  set(4, "\"place_field_values\":\"cartesian\",\"place_field_loss\":\"mse\",\"Np\":2", 0);
  set(5, "\"place_field_values\":\"difference_of_gaussians\",\"place_cell_rf\":0.3", 0);
  set(6,
      "\"place_field_values\":\"difference_of_gaussians\",\"place_cell_rf\":0.2,"
      "\"weight_decay\":0.5",
      6);
  set(7, "\"place_field_values\":\"cartesian\",\"place_field_loss\":\"mse\",\"Np\":2", 1);
  v1::ReadoutTheoryRequest request;
  request.set_sweep_id(sweep_id);
  request.set_lattice(16);
  const auto parts = Ask(request);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].theory().readout(), "DoS");
  EXPECT_EQ(parts[0].theory().runs(), 3);
  EXPECT_EQ(parts[0].theory().config().seed(), 4) << "the smallest of its runs";
  EXPECT_EQ(parts[0].theory().config().place_cell_rf().constant(), 0.2);
  EXPECT_EQ(parts[1].theory().readout(), "Gaussian");
  EXPECT_EQ(parts[1].theory().runs(), 2) << "a Gaussian has no surround to differ in";
  EXPECT_EQ(parts[1].theory().config().seed(), 2);
  EXPECT_EQ(parts[2].skipped().readout(), "Cartesian Low Dim");
  EXPECT_EQ(parts[2].skipped().runs(), 2);
  EXPECT_THAT(parts[2].skipped().reason(), HasSubstr("no place cells"));
  EXPECT_EQ(parts[3].theory().config().place_cell_rf().constant(), 0.3);
  EXPECT_EQ(parts[3].theory().runs(), 1);
}

TEST_F(ReadoutTheoryTest, ASweepThatIsNotThereIsNotFound) {
  v1::ReadoutTheoryRequest request;
  request.set_sweep_id(999'999);
  grpc::ClientContext context;
  auto stream = world_->stub().ReadoutTheory(&context, request);
  v1::ReadoutTheoryResponse part;
  EXPECT_FALSE(stream->Read(&part));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ReadoutTheoryTest, PatternsAreThoseOfTheLibraryAndCounted) {
  v1::ReadoutTheoryRequest request;
  AddConfig(request, "difference_of_gaussians", 0.3);
  MakeSmall(request);
  auto& alone = *request.add_patterns();
  alone.set_units(5);
  alone.set_steps(130);  // several pieces
  alone.set_seed(7);
  auto& ordered = *request.add_patterns();
  ordered.set_coupling(v1::PatternDynamics::COUPLING_ORDERED);
  ordered.set_activation("tanh");
  ordered.set_units(6);
  ordered.set_steps(60);
  request.set_with_maps(true);
  const auto parts = Ask(request);
  ASSERT_EQ(parts.size(), 3u);

  science::RunConfig config;
  config.place_cell_rf = science::Draw::Constant(0.3);
  config.Np = 24;
  const auto theory = *theory::PredictLattice(config, {.res = 16, .eigenmaps = 0});
  for (size_t p = 0; p < 2; ++p) {
    const auto& outcome = parts[p + 1].patterns();
    auto options =
        p == 0 ? theory::PublishedPatterns(theory::Coupling::kNone, theory::Nonlinearity::kRelu)
               : theory::PublishedPatterns(theory::Coupling::kOrdered, theory::Nonlinearity::kTanh);
    EXPECT_EQ(outcome.dynamics().step_size(), options.step_size);
    options.units = p == 0 ? 5 : 6;
    options.steps = p == 0 ? 130 : 60;
    options.seed = p == 0 ? 7 : 0;
    theory::PatternFormation grown(
        16,
        p == 0 ? theory.correlations.spectrum : theory::GaussianTransform(16, theory.spacing, 0.3),
        options);
    grown.Advance(1000);
    const std::vector<float> maps(grown.maps().begin(), grown.maps().end());
    EXPECT_EQ(Floats(outcome.maps()), maps);
    theory::LatticeClassifier classifier(16);
    std::map<std::string, uint32_t> counts;
    ASSERT_EQ(outcome.units_size(), options.units);
    for (int u = 0; u < options.units; ++u) {
      const auto reading = classifier.Read({&grown.maps()[u * 256], 256});
      EXPECT_EQ(outcome.units(u).lattice(), NameOf(reading.lattice));
      EXPECT_EQ(outcome.units(u).grid_score_60(), reading.grid_score_60);
      ++counts[outcome.units(u).lattice()];
    }
    EXPECT_EQ(outcome.hexagonal(), counts["hexagonal"]);
    EXPECT_EQ(outcome.square(), counts["square"]);
    EXPECT_EQ(outcome.stripes(), counts["stripes"]);
    EXPECT_EQ(outcome.none(), counts["none"]);
  }
}

TEST_F(ReadoutTheoryTest, TwelveReadoutsMakeASheet) {
  v1::ReadoutTheoryRequest request;
  for (int i = 0; i < 13; ++i) AddConfig(request, "gaussian", 0.1 + 0.02 * i);
  MakeSmall(request);
  request.set_with_pictures(true);
  std::vector<std::string> sheets;
  size_t theories = 0;
  for (const auto& part : Ask(request)) {
    theories += part.has_theory();
    if (!part.has_sheet()) continue;
    EXPECT_LE(part.sheet().png_chunk().size(), size_t{1} << 20);
    sheets.resize(part.sheet().sheet() + 1);
    sheets.back() += part.sheet().png_chunk();
  }
  EXPECT_EQ(theories, 13u);
  ASSERT_EQ(sheets.size(), 2u);
  for (const auto& png : sheets) {
    EXPECT_EQ(png.substr(1, 3), "PNG");
    EXPECT_EQ(png.substr(png.size() - 8, 4), "IEND");
  }
}

TEST_F(ReadoutTheoryTest, ACancelledCallGivesItsThreadBack) {
  v1::ReadoutTheoryRequest request;
  AddConfig(request, "difference_of_gaussians");
  request.set_eigenmaps(0);
  auto& pattern = *request.add_patterns();
  pattern.set_coupling(v1::PatternDynamics::COUPLING_ORDERED);
  pattern.set_steps(20'000);              // many minutes
  for (int call = 0; call < 2; ++call) {  // on both of the lane's threads
    grpc::ClientContext context;
    auto stream = world_->stub().ReadoutTheory(&context, request);
    v1::ReadoutTheoryResponse part;
    ASSERT_TRUE(stream->Read(&part)) << "the theory itself comes first";
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  request.clear_patterns();
  request.set_lattice(16);
  EXPECT_EQ(Ask(request).size(), 1u);
}

TEST_F(ReadoutTheoryTest, RefusesWhatCannotBeAsked) {
  v1::ReadoutTheoryRequest request;
  EXPECT_THAT(Refusal(request), HasSubstr("configs: give configs, or the sweep_id"));
  v1::RunConfig& config = AddConfig(request, "gaussian", -0.1);
  request.set_sweep_id(1);
  EXPECT_THAT(Refusal(request), HasSubstr("not both"));
  request.clear_sweep_id();
  EXPECT_THAT(Refusal(request), HasSubstr("configs[0].place_cell_rf"));
  config.mutable_place_cell_rf()->set_constant(0.1);
  request.set_lattice(200);
  EXPECT_THAT(Refusal(request), HasSubstr("lattice: 200 is not in 16..101"));
  request.clear_lattice();
  request.set_eigenmaps(33);
  EXPECT_THAT(Refusal(request), HasSubstr("eigenmaps: 33 is not in 0..32"));
  request.clear_eigenmaps();
  auto& pattern = *request.add_patterns();
  pattern.set_activation("gelu");
  EXPECT_THAT(Refusal(request), HasSubstr("patterns[0].activation: \"gelu\" is not one of"));
  pattern.set_activation("tanh");
  pattern.set_units(65);
  EXPECT_THAT(Refusal(request), HasSubstr("patterns[0].units: 65 is not in 1..64"));
  pattern.set_units(1);
  pattern.set_step_size(0);
  EXPECT_THAT(Refusal(request), HasSubstr("patterns[0].step_size: 0 is not > 0"));
  pattern.set_step_size(1);
  pattern.set_steps(20'001);
  EXPECT_THAT(Refusal(request), HasSubstr("patterns[0].steps: 20001 is not in 0..20000"));
}

}  // namespace
}  // namespace gridsweep::analysis
