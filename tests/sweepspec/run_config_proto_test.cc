#include "sweepspec/run_config_proto.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/config/parameters.h"

namespace gridsweep::sweepspec {
namespace {

using science::Draw;
using science::RunConfig;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

v1::RunConfig Proto(const std::string& text) {
  v1::RunConfig proto;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
  return proto;
}

RunConfig Config(const std::string& text) {
  const auto config = FromProto(Proto(text));
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(RunConfig{});
}

TEST(RunConfigProto, EveryParameterHasAFieldAndEveryFieldAParameter) {
  const auto* descriptor = v1::RunConfig::descriptor();
  std::set<std::string> fields, parameters;
  for (int i = 0; i < descriptor->field_count(); ++i) fields.insert(descriptor->field(i)->name());
  for (const auto& parameter : science::Parameters()) {
    parameters.insert(std::string(parameter.name));
  }
  EXPECT_EQ(fields, parameters);
}

TEST(RunConfigProto, AbsentFieldsTakeTheirDefaults) {
  const RunConfig config = Config("place_field_values: 'difference_of_gaussians'");
  EXPECT_EQ(config, RunConfig{});
}

TEST(RunConfigProto, DefaultsFollowTheReadout) {
  const RunConfig cartesian = Config("place_field_values: 'cartesian'");
  EXPECT_EQ(cartesian.Np, 2);
  EXPECT_EQ(cartesian.place_field_normalization, science::Normalization::kNone);
  EXPECT_EQ(cartesian.place_field_loss, science::Loss::kMse);
  const RunConfig polar = Config("place_field_values: 'polar'");
  EXPECT_EQ(polar.Np, 2);
  EXPECT_EQ(polar.place_field_loss, science::Loss::kPolarMse);
  const RunConfig gaussian =
      Config("place_field_values: 'gaussian' place_field_normalization: 'none'");
  EXPECT_EQ(gaussian.Np, 512);
  EXPECT_EQ(gaussian.place_field_loss, science::Loss::kMse);
}

TEST(RunConfigProto, PresentZerosAreKept) {
  const RunConfig config = Config(
      "place_field_values: 'cartesian' weight_decay: 0 n_epochs: 0 chance_units: 0 "
      "place_cell_rf { constant: 0 } surround_scale { constant: 0 }");
  EXPECT_EQ(config.weight_decay, 0);
  EXPECT_EQ(config.n_epochs, 0);
  EXPECT_EQ(config.chance_units, 0);
  EXPECT_EQ(config.place_cell_rf, Draw::Constant(0));
  EXPECT_EQ(config.surround_scale, Draw::Constant(0));
}

TEST(RunConfigProto, NetworkNamesAreReadWithoutCase) {
  EXPECT_EQ(Config("place_field_values: 'gaussian' rnn_type: 'lstm'").rnn_type,
            science::RnnType::kLstm);
  EXPECT_EQ(Config("place_field_values: 'gaussian' rnn_type: 'VanillaRNN'").rnn_type,
            science::RnnType::kSrnn);
}

TEST(RunConfigProto, RoundTripsThroughProtoAndJson) {
  RunConfig config = Config(
      "place_field_values: 'general_difference_of_gaussians' place_cell_alpha_e: 0.63 "
      "place_cell_alpha_i: 1e-7 place_cell_rf { uniform { low: 0.06 high: 0.18 } } "
      "n_place_fields_per_cell { poisson: 3 } is_periodic: true seed: 9007199254740991 "
      "learning_rate: 0.1 optimizer: 'rmsprop' momentum: 0.9");
  EXPECT_EQ(FromProto(ToProto(config)).value(), config);
  EXPECT_EQ(FromCanonicalJson(CanonicalJson(config)).value(), config);
}

TEST(RunConfigProto, EveryFaultIsReportedWithItsPath) {
  const auto status =
      FromProto(Proto("rnn_type: 'LSTN' Ng: 0 learning_rate: -1"), "spec.base").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldViolations(status),
              ElementsAre(Pair("spec.base.Ng", "0 is not >= 1"),
                          Pair("spec.base.learning_rate", "-1 is not > 0"),
                          Pair("spec.base.rnn_type", HasSubstr("did you mean \"LSTM\"?")),
                          Pair("spec.base.place_field_values", HasSubstr("is missing"))));
}

TEST(RunConfigProto, NumbersThatAreNoneAreRefused) {
  v1::RunConfig proto = Proto("place_field_values: 'gaussian'");
  proto.set_learning_rate(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(FromProto(proto).ok());
  proto.clear_learning_rate();
  proto.mutable_place_cell_rf()->set_constant(std::numeric_limits<double>::infinity());
  EXPECT_FALSE(FromProto(proto).ok());
  proto.mutable_place_cell_rf()->Clear();  // present, without a kind
  EXPECT_FALSE(FromProto(proto).ok());
}

TEST(CanonicalJson, SortsKeysAndWritesNumbersAsJavaScriptDoes) {
  const std::string json =
      CanonicalJson(Config("place_field_values: 'difference_of_gaussians' learning_rate: 1e-7 "
                           "place_cell_rf { uniform { low: 0.06 high: 1 } }"));
  std::string expected =
      R"json({"Ng":1024,"Np":512,"activation":"relu","batch_size":200,"bin_side_in_m":0.05,
"bottleneck_bias":true,"box_height_in_m":2.2,"box_width_in_m":2.2,
"chance_shuffles":100,"chance_units":64,"dropout_mode":"published",
"eval_batches":1,"eval_every_n_steps":0,"eval_sequence_length":50,
"gradient_clip":0,"gradient_clip_scope":"all","head_direction_concentration":20,
"initializer":"glorot_uniform","is_periodic":false,"learning_rate":1e-7,
"lstm_units":128,"momentum":0,"n_epochs":20,"n_grad_steps_per_epoch":10000,
"n_head_direction_cells":0,"n_place_fields_per_cell":1,"n_train_trajectories":0,
"optimizer":"adam","place_cell_alpha_e":null,"place_cell_alpha_i":null,
"place_cell_rf":"Uniform( 0.06 , 1.0 )","place_field_loss":"crossentropy",
"place_field_normalization":"global","place_field_values":"difference_of_gaussians",
"readout_dropout":0,"recurrent_dropout":0,"rnn_type":"RNN","sac_mask_unvisited":false,"seed":0,
"sequence_length":20,"surround_is_variance_ratio":false,"surround_scale":2,
"weight_decay":0.0001})json";
  std::erase(expected, '\n');
  EXPECT_EQ(json, expected);
}

TEST(CanonicalJson, IsReadFromAnySpellingOfTheSameJson) {
  const RunConfig config = Config("place_field_values: 'gaussian' place_cell_rf { constant: 2 }");
  // As PostgreSQL's jsonb or Python would write it: other order, spaces, 2.0 for 2.
  auto json = nlohmann::json::parse(CanonicalJson(config));
  json["place_cell_rf"] = 2.0;
  json["seed"] = 0.0;
  EXPECT_EQ(FromCanonicalJson(json.dump(2)).value(), config);
}

TEST(CanonicalJson, RefusesWhatIsNotAConfiguration) {
  for (const char* json :
       {"", "[]", "{", "{\"place_field_values\":\"gaussian\",\"Mg\":1}",
        "{\"place_field_values\":null}", "{}", "{\"place_field_values\":\"gaussian\",\"Ng\":[1]}",
        "{\"place_field_values\":\"gaussian\",\"Ng\":1e300}",
        "{\"place_field_values\":\"cartesian\",\"Np\":512}"}) {
    EXPECT_FALSE(FromCanonicalJson(json).ok()) << json;
  }
}

// Golden values: a change here means that stored results no longer match their
// configurations. They were computed from the text by Python's hashlib.
TEST(ConfigHash, IsTheSha256OfTheCanonicalJson) {
  const RunConfig config = Config("place_field_values: 'difference_of_gaussians'");
  EXPECT_EQ(ConfigHash(config), Sha256::Of(CanonicalJson(config)));
  EXPECT_EQ(ToHex(ConfigHash(config)),
            "f6204b8b6d6a7228234baeeadf7b02a867d919f3b811b6df4294aaff011a50ad");
  EXPECT_EQ(ToHex(ConfigHash(Config("place_field_values: 'cartesian' seed: 7"))),
            "9832a6e8279303282376d12be1ec4b2c5d9c90aedcf4251be11c11e05aacc7d2");
}

TEST(ConfigHash, DiffersByTheSeed) {
  EXPECT_NE(ConfigHash(Config("place_field_values: 'gaussian' seed: 1")),
            ConfigHash(Config("place_field_values: 'gaussian' seed: 2")));
}

TEST(ShapeKey, IgnoresNumbersAndSeesSizes) {
  const auto key = [](const std::string& rest) {
    return ShapeKey(Config("place_field_values: 'gaussian' " + rest));
  };
  EXPECT_EQ(key("").size(), 16u);
  EXPECT_EQ(key("seed: 1 learning_rate: 0.1 place_cell_rf { constant: 0.3 }"), key("seed: 2"));
  EXPECT_EQ(key("lstm_units: 64"), key(""));
  for (const char* size : {"Ng: 128", "Np: 256", "batch_size: 100", "sequence_length: 10",
                           "rnn_type: 'GRU'", "n_head_direction_cells: 12"}) {
    EXPECT_NE(key(size), key("")) << size;
  }
  EXPECT_NE(key("rnn_type: 'BaninoLSTM' lstm_units: 64"), key("rnn_type: 'BaninoLSTM'"));
}

}  // namespace
}  // namespace gridsweep::sweepspec
