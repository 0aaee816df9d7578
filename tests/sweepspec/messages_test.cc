// What malformed files are told: the field, its line and column, the value and
// what would do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Fault {
  const char* text;   // see each test
  const char* place;  // "line:column path: ", the beginning of the message
  const char* value;  // parts of the message
  const char* fix;
};

void ExpectOneError(const std::string& yaml, const Fault& fault) {
  const ExpandResult result = Expanded(yaml);
  EXPECT_FALSE(result.sweep) << yaml;
  EXPECT_THAT(Errors(result), ElementsAre(AllOf(StartsWith(fault.place), HasSubstr(fault.value),
                                                HasSubstr(fault.fix))))
      << yaml;
}

TEST(TopLevelMessages, NameTheFaultAndTheFix) {
  const std::string parameters = "parameters: {place_field_values: {value: gaussian}}\n";
  const Fault faults[] = {
      {"", "1:1 method: ", "is missing", "it is grid or random"},
      {"method: bayes\n", "1:9 method: ", "bayes chooses each run by the results",
       "use method: random with run_cap"},
      {"method: custom\n", "1:9 method: ", "custom needs a scheduler", "use method: grid"},
      {"method: Grid\n", "1:9 method: ", "\"Grid\" is not grid or random",
       "did you mean \"grid\"?"},
      {"method: 3\n", "1:9 method: ", "3 is not grid or random", ""},
      {"method: [grid]\n", "1:9 method: ", "a list is not grid or random", ""},
      {"method:\n", "1:1 method: ", "null is not grid or random", ""},
      {"method: grid\nearly_terminate: {type: hyperband, min_iter: 3}\n",
       "2:1 early_terminate: ", "Gridsweep trains every run to its end", "remove it"},
      {"method: grid\nscheduler: {engine: optuna}\n",
       "2:1 scheduler: ", "does not run schedulers of other systems", "remove it"},
      {"method: grid\nmetod: 1\n", "2:1 metod: ", "no such key", "did you mean \"method\"?"},
      {"method: grid\nlearning_rate: 1\n", "2:1 learning_rate: ", "no such key",
       "as a parameter it belongs under parameters:"},
      {"method: grid\nrun_cap: 0\n", "2:10 run_cap: ", "0 is not a whole number >= 1", ""},
      {"method: grid\nrun_cap: 2.5\n", "2:10 run_cap: ", "2.5 is not a whole number", ""},
      {"method: grid\nrun_cap: ten\n", "2:10 run_cap: ", "\"ten\" is not a whole number", ""},
      {"method: grid\nname: [a]\n", "2:1 name: ", "is a list", "it must be text"},
      {"method: grid\nmetric: loss\n", "2:1 metric: ", "is \"loss\"", "metric: {name: ..., goal:"},
      {"method: grid\nmetric: {goal: minimize}\n", "2:1 metric: ", "name is missing", ""},
      {"method: grid\nmetric: {name: loss, gaol: minimize}\n",
       "2:22 metric.gaol: ", "W&B has no such key", "did you mean \"goal\"?"},
      {"method: grid\nmetric: {name: loss, goal: small}\n",
       "2:28 metric.goal: ", "\"small\" is not minimize or maximize", ""},
      {"method: grid\ngridsweep: 3\n", "2:1 gridsweep: ", "is 3", "it is a mapping of seeds, runs"},
  };
  for (const Fault& fault : faults) ExpectOneError(fault.text + parameters, fault);
}

TEST(TopLevelMessages, AFileThatIsNoMappingOrHasNoParameters) {
  ExpectOneError("- a\n", {"", "1:1 : ", "this is a list", "a sweep file is a mapping"});
  ExpectOneError("gaussian\n", {"", "1:1 : ", "this is \"gaussian\"", "a mapping"});
  ExpectOneError("method: grid\n", {"", "1:1 parameters: ", "is missing", "place_field_values"});
  ExpectOneError("method: grid\nparameters: {}\n", {"", "2:1 parameters: ", "is an empty mapping",
                                                    "from parameters to their values"});
  ExpectOneError("method: grid\nparameters: [Ng]\n", {"", "2:1 parameters: ", "is a list", ""});
  ExpectOneError(
      "method: grid\nparameters: {Ng: {value: 3}}\n",
      {"", "2:1 parameters.place_field_values: ", "is missing", "difference_of_gaussians"});
}

TEST(ParameterMessages, RangesOfAGridThatTogetherTakeTooMuchMemory) {
  const std::string yaml = Grid(
      "Ng: {min: 1, max: 900000}\nbatch_size: {min: 1, max: 900000}\nn_epochs: {min: 1, max: "
      "900000}\nseed: {min: 1, max: 900000}");
  ExpectOneError(yaml, {"", "6:3 parameters.n_epochs: ", "more than 2500000 values", "larger q"});
}

// One line of `parameters:`; it stands in line 4, from column 3.
TEST(ParameterMessages, NameTheFaultAndTheFix) {
  const Fault faults[] = {
      {"Mg: {value: 1}", "4:3 parameters.Mg: ", "\"Mg\" is not a parameter",
       "did you mean \"Ng\"?"},
      {"Ng: 3", "4:3 parameters.Ng: ", "is 3", "write value: X for one value or values: [X, Y]"},
      {"Ng: [3, 4]", "4:3 parameters.Ng: ", "is a list", "values: [X, Y]"},
      {"Ng: {}", "4:3 parameters.Ng: ", "says no value", "write value: X"},
      {"Ng: {values: 3}", "4:16 parameters.Ng.values: ", "is 3", "a list of values"},
      {"Ng: {values: []}", "4:16 parameters.Ng.values: ", "is an empty list", "[X, Y]"},
      {"Ng: {values: [[1]]}", "4:17 parameters.Ng.values[0]: ", "is a list", "not a single value"},
      {"Ng: {value: {a: 1}}", "4:15 parameters.Ng.value: ", "is a mapping", "not a single value"},
      {"Ng: {vales: [1]}", "4:3 parameters.Ng: ", "says no value", "values: [X, Y]"},
      {"Ng: {value: 1, values: [2]}", "4:8 parameters.Ng.value: ",
       "has no place in a categorical parameter", "which takes values"},
      {"Ng: {value: 1.5}", "4:15 parameters.Ng.value: ", "1.5 is not a whole number",
       "allowed: >= 1"},
      {"Ng: {value: 1e300}", "4:15 parameters.Ng.value: ",
       "1e+300 is beyond the whole numbers of 64 bits, up to 9223372036854775807", "allowed: >= 1"},
      {"Ng: {value: 99999999999999999999}",
       "4:15 parameters.Ng.value: ", "1e+20 is beyond the whole numbers of 64 bits", ""},
      {"Ng: {value: 1e16}",
       "4:15 parameters.Ng.value: ", "1e+16 is too large to be exact: write its digits", ""},
      {"Ng: {value: 0}", "4:15 parameters.Ng.value: ", "0 is not >= 1", ""},
      {"Ng: {value: 2147483648}", "4:15 parameters.Ng.value: ", "2147483648 is too large",
       "at most 2147483647"},
      {"Ng: {value: '16'}", "4:15 parameters.Ng.value: ", "\"16\" is not a whole number",
       "write it without quotes"},
      {"Ng: {value: yes}", "4:15 parameters.Ng.value: ", "true is not a whole number", ""},
      {"Ng: {value: 0x10}", "4:15 parameters.Ng.value: ", "\"0x10\" is not a whole number", ""},
      {"Ng: {value: }", "4:8 parameters.Ng.value: ", "null is not a whole number", ""},
      {"learning_rate: {values: [0.1, -1]}",
       "4:33 parameters.learning_rate.values[1]: ", "-1 is not > 0", ""},
      {"learning_rate: {value: .nan}",
       "4:26 parameters.learning_rate.value: ", "nan or inf is not a finite number", ""},
      {"readout_dropout: {value: 1}", "4:28 parameters.readout_dropout.value: ", "1 is too large",
       "[0, 1)"},
      {"rnn_type: {values: [RNN, LSTN]}", "4:28 parameters.rnn_type.values[1]: ",
       "\"LSTN\" is not one of RNN, SRNN, GRU, LSTM, UGRNN, BaninoLSTM", "did you mean \"LSTM\"?"},
      {"activation: {value: no}", "4:23 parameters.activation.value: ", "false is not a name",
       "one of relu, tanh"},
      {"is_periodic: {value: 1}", "4:24 parameters.is_periodic.value: ", "1 is not true or false",
       ""},
      {"is_periodic: {value: 'no'}",
       "4:24 parameters.is_periodic.value: ", "\"no\" is not true or false", ""},
      {"place_field_normalization: {values: [local]}",
       "4:40 parameters.place_field_normalization.values[0]: ", "\"local\" is named in published",
       "use global or none"},
      {"place_cell_rf: {value: Uniform( 0.1 )}", "4:26 parameters.place_cell_rf.value: ",
       "\"Uniform( 0.1 )\" is not a number or a distribution", "Uniform( a , b )"},
      {"place_cell_rf: {value: 'Uniform( 0.2 , 0.1 )'}", "4:26 parameters.place_cell_rf.value: ",
       "Uniform( 0.2 , 0.1 ) has its bounds in the wrong order", "write the lower first"},
      {"n_place_fields_per_cell: {value: 1.5}", "4:36 parameters.n_place_fields_per_cell.value: ",
       "1.5 is not a whole number from 1 to 100", "Poisson( r )"},
      // Distributions.
      {"Ng: {distribution: unifrom, min: 1, max: 2}", "4:22 parameters.Ng.distribution: ",
       "\"unifrom\" is not one of categorical", "did you mean \"uniform\"?"},
      {"Ng: {distribution: 3}", "4:22 parameters.Ng.distribution: ", "3 is not one of", ""},
      {"weight_decay: {distribution: log_uniform, min: -3, max: 1}",
       "4:32 parameters.weight_decay.distribution: ", "log_uniform takes min and max as exponents",
       "use log_uniform_values"},
      {"weight_decay: {distribution: inv_log_uniform, min: -3, max: 1}",
       "4:32 parameters.weight_decay.distribution: ", "W&B itself refuses it",
       "use inv_log_uniform_values"},
      {"weight_decay: {distribution: q_log_uniform, min: -3, max: 1}",
       "4:32 parameters.weight_decay.distribution: ", "exponents of e", "use q_log_uniform_values"},
      {"Ng: {min: 1, max: 9, q: 2}", "4:24 parameters.Ng.q: ", "needs a distribution",
       "distribution: q_uniform"},
      {"Ng: {min: 1}", "4:3 parameters.Ng: ", "uniform needs max", ""},
      {"Ng: {distribution: categorical}", "4:3 parameters.Ng: ", "categorical needs values", ""},
      {"Ng: {min: 1, max: 9, mu: 2}", "4:24 parameters.Ng.mu: ",
       "has no place in a int_uniform parameter", "which takes min, max"},
      {"Ng: {min: 9, max: 1}", "4:13 parameters.Ng.min: ", "9 is not below max 1", ""},
      {"Ng: {min: 1, max: many}", "4:21 parameters.Ng.max: ", "\"many\" is not a number", ""},
      {"Ng: {min: 1, max: .inf}", "4:21 parameters.Ng.max: ", "inf is not a number", ""},
      {"Ng: {distribution: int_uniform, min: 1.5, max: 9}",
       "4:40 parameters.Ng.min: ", "1.5 is not a whole number", "use uniform"},
      {"Ng: {distribution: q_uniform, min: 1, max: 9, q: 0}",
       "4:52 parameters.Ng.q: ", "0 is not > 0", ""},
      {"weight_decay: {distribution: normal, sigma: -1}",
       "4:47 parameters.weight_decay.sigma: ", "-1 is not > 0", ""},
      {"readout_dropout: {distribution: beta, a: 0}",
       "4:44 parameters.readout_dropout.a: ", "0 is not > 0", ""},
      {"readout_dropout: {distribution: beta, b: -2}",
       "4:44 parameters.readout_dropout.b: ", "-2 is not > 0", ""},
      {"weight_decay: {distribution: log_uniform_values, min: 0, max: 1}",
       "4:57 parameters.weight_decay.min: ", "0 is not > 0, where a logarithmic range starts", ""},
      {"activation: {min: 1, max: 2}", "4:3 parameters.activation: ",
       "int_uniform draws numbers, and activation is relu, tanh", "use values: [...]"},
      {"weight_decay: {min: 0.1, max: 0.5}", "4:3 parameters.weight_decay: ",
       "uniform has no end of values, so a grid cannot list them", "method: random"},
      {"Ng: {distribution: q_uniform, min: 1, max: 3, q: 0.5}",
       "4:3 parameters.Ng: ", "1.5 is not a whole number", "allowed: >= 1"},
      {"seed: {min: 0, max: 1000000}", "4:3 parameters.seed: ", "more than 1000000 values",
       "method: random"},
      {"Ng: {values: [1, 2], probabilities: [0.5, 0.5]}",
       "4:24 parameters.Ng.probabilities: ", "a grid takes every value once", "use method: random"},
      // Groups.
      {"optimizer: {parameters: {momentum: {value: 0}}}", "4:15 parameters.optimizer.parameters: ",
       "optimizer is a parameter itself", "write its own value"},
      {"group: {parameters: {Mg: {value: 0}}}", "4:24 parameters.group.parameters.Mg: ",
       "\"Mg\" is not a parameter", "did you mean \"Ng\"?"},
      {"group: {parameters: {Ng: {value: 1}}, value: 2}",
       "4:3 parameters.group: ", "a group holds parameters and nothing else", ""},
      {"Ng: {value: 1}\ngroup: {parameters: {Ng: {value: 2}}}",
       "5:24 parameters.group.parameters.Ng: ", "is set by parameters.Ng too", "remove one"},
  };
  for (const Fault& fault : faults) ExpectOneError(Grid(fault.text), fault);
}

TEST(ParameterMessages, ProbabilitiesBelongToTheirValues) {
  const Fault faults[] = {
      {"Ng: {values: [1, 2], probabilities: [1]}",
       "4:24 parameters.Ng.probabilities: ", "must be a list as long as values: 2", ""},
      {"Ng: {values: [1, 2], probabilities: 1}",
       "4:24 parameters.Ng.probabilities: ", "must be a list", ""},
      {"Ng: {values: [1, 2], probabilities: [0.5, 0.4]}",
       "4:24 parameters.Ng.probabilities: ", "add up to 0.9, not to 1", ""},
      {"Ng: {values: [1, 2], probabilities: [-0.5, 1.5]}",
       "4:40 parameters.Ng.probabilities: ", "-0.5 is not a number >= 0", ""},
      {"Ng: {values: [1, 2], distribution: categorical_w_probabilities}",
       "4:3 parameters.Ng: ", "categorical_w_probabilities needs probabilities", ""},
      {"Ng: {value: 1, probabilities: [1]}", "4:18 parameters.Ng.probabilities: ",
       "has no place in a constant parameter", "which takes value"},
  };
  for (const Fault& fault : faults) ExpectOneError(Random(fault.text, "run_cap: 1\n"), fault);
}

TEST(ParameterMessages, AnUnquotedDistributionInsideBracketsIsTold) {
  EXPECT_THAT(Errors(Expanded(Grid("place_cell_rf: {values: [Uniform( 0.1 , 0.2 )]}"))),
              ElementsAre(AllOf(StartsWith("4:28 parameters.place_cell_rf.values[0]: "),
                                HasSubstr("put quotes round it")),
                          StartsWith("4:43 parameters.place_cell_rf.values[1]: ")));
}

// One entry of `gridsweep:`; it stands in line 5, from column 3.
TEST(SettingsMessages, NameTheFaultAndTheFix) {
  const Fault faults[] = {
      {"max_atempts: 3", "5:3 gridsweep.max_atempts: ", "no such setting; gridsweep takes seeds",
       "did you mean \"max_attempts\"?"},
      {"seeds: 0", "5:10 gridsweep.seeds: ", "0 is not a whole number from 1 to 1000000", ""},
      {"seeds: [0, 1]", "5:10 gridsweep.seeds: ", "a list is not a whole number", ""},
      {"runs: 5", "5:3 gridsweep.runs: ", "this sweep is a grid", "run_cap"},
      {"sampler_seed: -1", "5:17 gridsweep.sampler_seed: ", "-1 is not a whole number >= 0", ""},
      {"priority: high", "5:13 gridsweep.priority: ", "\"high\" is not a whole number", ""},
      {"max_parallel: -1", "5:17 gridsweep.max_parallel: ", "-1 is not a whole number from 0", ""},
      {"max_attempts: 0", "5:17 gridsweep.max_attempts: ", "0 is not a whole number from 1", ""},
      {"max_attempts: 40000", "5:17 gridsweep.max_attempts: ", "40000 is not", "to 32767"},
      {"reuse: maybe", "5:10 gridsweep.reuse: ", "\"maybe\" is not true or false", ""},
      {"resources: gpu", "5:3 gridsweep.resources: ", "is \"gpu\"", "{class: gpu, memory: 8GiB}"},
      {"resources: {gpu: 1}", "5:15 gridsweep.resources.gpu: ", "there are class, memory", ""},
      {"resources: {class: gpus}", "5:22 gridsweep.resources.class: ",
       "\"gpus\" is not one of any, cpu, gpu", "did you mean \"gpu\"?"},
      {"resources: {memory: 8GB}", "5:23 gridsweep.resources.memory: ", "\"8GB\" is no size",
       "for example 8GiB"},
      {"resources: {memory: -1}", "5:23 gridsweep.resources.memory: ", "-1 is no size", "8GiB"},
      {"resources: {memory: 1025TiB}", "5:23 gridsweep.resources.memory: ", "is no size",
       "up to 1024TiB"},
      {"labels: [a]", "5:3 gridsweep.labels: ", "is a list", "labels: {name: value}"},
      {"labels: {a: [1]}", "5:12 gridsweep.labels.a: ", "a label's value is text", ""},
      {"exclude: {Ng: 1}", "5:3 gridsweep.exclude: ", "is a mapping", "a list of partial points"},
      {"exclude: [3]", "5:13 gridsweep.exclude[0]: ", "is 3", "{Np: 2, activation: [relu, tanh]}"},
      {"exclude: [{}]", "5:13 gridsweep.exclude[0]: ", "is an empty mapping", "names parameters"},
      {"exclude: [{Mg: 1}]", "5:14 gridsweep.exclude[0].Mg: ", "\"Mg\" is not a parameter",
       "did you mean \"Ng\"?"},
      {"exclude: [{Ng: 0}]", "5:18 gridsweep.exclude[0].Ng: ", "0 is not >= 1", ""},
      {"exclude: [{Ng: []}]", "5:18 gridsweep.exclude[0].Ng: ", "is an empty list", ""},
      {"exclude: [{Ng: 8}, {activation: [relu, swish]}]",
       "5:42 gridsweep.exclude[1].activation: ", "\"swish\" is not one of relu", ""},
  };
  for (const Fault& fault : faults) {
    ExpectOneError(Grid("", "gridsweep:\n  " + std::string(fault.text) + "\n"), fault);
  }
}

TEST(SettingsMessages, TwoSettingsThatSayTheSame) {
  ExpectOneError(Grid("seed: {values: [1, 2]}", "gridsweep: {seeds: 3}\n"),
                 {"", "5:13 gridsweep.seeds: ", "parameters.seed names the seeds already",
                  "keep one of the two"});
  ExpectOneError(Random("Ng: {values: [1, 2]}", "run_cap: 3\ngridsweep: {runs: 3}\n"),
                 {"", "6:13 gridsweep.runs: ", "means the same as run_cap", "keep one of the two"});
}

TEST(Messages, EveryFaultOfAFileIsToldAtOnceInItsOrder) {
  const auto errors =
      Errors(Expanded("method: bayes\n"
                      "parameters:\n"
                      "  Mg: {value: 1}\n"
                      "  Ng: {values: [0, 1.5]}\n"
                      "  learning_rate: {distribution: log_uniform_values, min: 0, "
                      "max: 1}\n"
                      "gridsweep: {seds: 1}\n"));
  EXPECT_THAT(errors, ElementsAre(StartsWith("1:9 method"), StartsWith("3:3 parameters.Mg"),
                                  StartsWith("4:17 parameters.Ng.values[0]"),
                                  StartsWith("4:20 parameters.Ng.values[1]"),
                                  StartsWith("5:58 parameters.learning_rate.min"),
                                  StartsWith("6:13 gridsweep.seds")));
}

TEST(Messages, BeyondAHundredOnlyTheirNumberIsTold) {
  std::string values;
  for (int i = 0; i < 150; ++i) values += "0,";
  const auto errors = Errors(Expanded(Grid("Ng: {values: [" + values + "]}")));
  ASSERT_EQ(errors.size(), 101u);
  EXPECT_THAT(errors.back(), HasSubstr("and 50 more errors"));
}

TEST(Messages, AsAStatusTheyNameTheFileAndTheFields) {
  const auto result = Expanded(Grid("Ng: {value: 0}"));
  const absl::Status status = ToStatus(result.notices, "my.yaml");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "my.yaml:4:15: parameters.Ng.value: 0 is not >= 1");
  EXPECT_TRUE(ToStatus(Expanded(Grid("Ng: {value: 1}")).notices, "my.yaml").ok());
}

}  // namespace
}  // namespace gridsweep::sweepspec
