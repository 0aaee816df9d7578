// A run that stops and goes on elsewhere gives the bytes of one that did not.
#include "worker/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "hdf5/reader.h"
#include "science/integrator/trainer.h"
#include "worker/run_pipeline.h"

namespace gridsweep::worker {
namespace {

using science::RnnType;
using science::RunConfig;

RunConfig Tiny() {
  RunConfig config;
  config.Ng = 12;
  config.Np = 16;
  config.batch_size = 8;
  config.sequence_length = 4;
  config.n_epochs = 1;
  config.n_grad_steps_per_epoch = 9;
  config.eval_every_n_steps = 4;
  config.eval_sequence_length = 20;
  config.learning_rate = 1e-2;
  config.lstm_units = 10;
  config.chance_units = 2;
  config.chance_shuffles = 3;
  config.seed = 7;
  return config;
}

// Everything that training may keep from one step to the next.
std::vector<std::pair<std::string, RunConfig>> Kinds() {
  std::vector<std::pair<std::string, RunConfig>> kinds;
  const auto add = [&](const char* name, auto change) {
    RunConfig config = Tiny();
    change(config);
    kinds.emplace_back(name, config);
  };
  add("RNN, adam", [](RunConfig&) {});
  add("SRNN, rmsprop with momentum", [](RunConfig& c) {
    c.rnn_type = RnnType::kSrnn;
    c.optimizer = science::Optimizer::kRmsprop;
    c.momentum = 0.9;
  });
  add("GRU, rmsprop, keras dropout", [](RunConfig& c) {
    c.rnn_type = RnnType::kGru;
    c.optimizer = science::Optimizer::kRmsprop;
    c.dropout_mode = science::DropoutMode::kKeras;
    c.readout_dropout = 0.3;
    c.recurrent_dropout = 0.2;
  });
  add("LSTM, adagrad, fixed trajectories over several epochs", [](RunConfig& c) {
    c.rnn_type = RnnType::kLstm;
    c.optimizer = science::Optimizer::kAdagrad;
    c.n_train_trajectories = 16;
    c.n_epochs = 4;
    c.n_grad_steps_per_epoch = 2;
  });
  add("UGRNN, sgd, Poisson fields", [](RunConfig& c) {
    c.rnn_type = RnnType::kUgrnn;
    c.optimizer = science::Optimizer::kSgd;
    c.n_place_fields_per_cell = science::Draw::Poisson(1);
  });
  add("BaninoLSTM, head directions, readout dropout", [](RunConfig& c) {
    c.rnn_type = RnnType::kBaninoLstm;
    c.n_head_direction_cells = 4;
    c.dropout_mode = science::DropoutMode::kReadout;
    c.readout_dropout = 0.3;
  });
  return kinds;
}

// Of this program: what a worker has.
hdf5::Reader& TheReader() {
  static const std::unique_ptr<hdf5::Reader> reader = *hdf5::Reader::Start();
  return *reader;
}

absl::StatusOr<Checkpoint> Decoded(const RunConfig& config, const std::string& bytes) {
  ASSIGN_OR_RETURN(const hdf5::File file, TheReader().OpenBytes(bytes, hdf5::Holding::kOurs));
  return DecodeCheckpoint(config, file);
}

RunResult ResultOf(const RunConfig& config, const Checkpointing& checkpointing = {}) {
  RunMonitor monitor;
  auto result = RunPipeline(config, monitor, checkpointing);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : RunResult{};
}

std::string Hash(const RunResult& result) { return ToHex(Sha256::Of(result.artifact)); }

// A checkpoint before each step.
std::vector<std::string> EveryCheckpoint(const RunConfig& config) {
  std::vector<std::string> saved;
  ResultOf(config, {.resume = {},
                    .due = [] { return true; },
                    .save =
                        [&](uint64_t step, const std::string& bytes, const std::string&) {
                          EXPECT_EQ(step, saved.size());
                          saved.push_back(bytes);
                        }});
  return saved;
}

bool SameDoubles(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST(Checkpoint, ARunResumedAtAnyStepLeavesTheSameBytes) {
  for (const auto& [name, config] : Kinds()) {
    const RunResult whole = ResultOf(config);
    const std::vector<std::string> saved = EveryCheckpoint(config);
    ASSERT_EQ(saved.size(), static_cast<size_t>(config.TotalSteps())) << name;
    for (size_t step = 0; step < saved.size(); ++step) {
      const RunResult resumed = ResultOf(config, {.resume = saved[step], .reader = &TheReader()});
      ASSERT_EQ(Hash(resumed), Hash(whole)) << name << ", from step " << step;
      EXPECT_EQ(resumed.steps, whole.steps);
      EXPECT_EQ(resumed.numerics_id, whole.numerics_id);
      ASSERT_EQ(resumed.learning_curve.size(), whole.learning_curve.size());
      for (size_t i = 0; i < whole.learning_curve.size(); ++i) {
        const CurvePoint &ours = resumed.learning_curve[i], &theirs = whole.learning_curve[i];
        EXPECT_EQ(ours.step, theirs.step);
        EXPECT_EQ(ours.loss, theirs.loss);
        EXPECT_EQ(ours.evaluated, theirs.evaluated);
        if (ours.evaluated) {
          EXPECT_EQ(ours, theirs);
        }
      }
      ASSERT_EQ(resumed.units.size(), whole.units.size());
      for (size_t i = 0; i < whole.units.size(); ++i) {
        EXPECT_TRUE(SameDoubles(resumed.units[i].values, whole.units[i].values));
      }
    }
  }
}

// Stopped after every single step, and in the middle of every evaluation.
TEST(Checkpoint, ARunThatIsInterruptedAllTheTimeLeavesTheSameBytes) {
  const RunConfig config = Tiny();
  std::string checkpoint;
  std::vector<uint64_t> steps;
  for (int attempt = 0; attempt < 100; ++attempt) {
    RunMonitor monitor;
    int asked = 0;
    const auto result =
        RunPipeline(config, monitor,
                    {.resume = checkpoint,
                     .reader = &TheReader(),
                     .due =
                         [&] {
                           // Between steps it goes on and is told to stop; so it
                           // stops after the step, or in the evaluation that
                           // follows it.
                           if (monitor.stop_reason()) return true;
                           if (++asked == 1) monitor.RequestStop(StopReason::kPreempted);
                           return false;
                         },
                     .save =
                         [&](uint64_t step, const std::string& bytes, const std::string&) {
                           steps.push_back(step);
                           checkpoint = bytes;
                         }});
    if (result.ok()) {
      EXPECT_EQ(Hash(*result), Hash(ResultOf(config)));
      break;
    }
    ASSERT_TRUE(absl::IsCancelled(result.status())) << result.status();
  }
  EXPECT_THAT(steps, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Checkpoint, IsOfTheStepAfterWhichTheRunWasStopped) {
  const RunConfig config = Tiny();
  const std::vector<std::string> saved = EveryCheckpoint(config);
  const auto checkpoint = Decoded(config, saved[5]);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  auto trainer = integrator::Trainer::Create(config);
  ASSERT_TRUE(trainer.ok());
  for (int step = 0; step < 5; ++step) ASSERT_TRUE((*trainer)->Step().ok());
  const integrator::TrainingState expected = (*trainer)->state();
  EXPECT_EQ(checkpoint->training.step, 5U);
  ASSERT_EQ(checkpoint->training.parameters.size(), expected.parameters.size());
  for (size_t i = 0; i < expected.parameters.size(); ++i) {
    const auto &saved_one = checkpoint->training.parameters[i], &own = expected.parameters[i];
    EXPECT_EQ(saved_one.name, own.name);
    EXPECT_EQ(saved_one.shape, own.shape);
    EXPECT_EQ(saved_one.value, own.value);
    EXPECT_EQ(saved_one.mean, own.mean);
    EXPECT_EQ(saved_one.square, own.square);
  }
  EXPECT_GT(checkpoint->compute_seconds, 0);
  EXPECT_EQ(checkpoint->stored_curve.losses.size(), 5U);
}

TEST(Checkpoint, ThatCannotBeUsedCostsItsWorkAlone) {
  const RunConfig config = Tiny();
  const std::string whole = Hash(ResultOf(config));
  RunConfig other = config;
  other.learning_rate = 2e-2;
  const std::string good = EveryCheckpoint(config)[3];
  const std::pair<std::string, std::string> useless[] = {
      {EveryCheckpoint(other)[3], "of configuration"},
      {"no HDF5 file", "no HDF5 file"},
      {good.substr(0, good.size() / 2), "no HDF5 file"}};
  for (const auto& [bytes, why] : useless) {
    RunMonitor monitor;
    const auto result = RunPipeline(config, monitor, {.resume = bytes, .reader = &TheReader()});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(Hash(*result), whole);
    EXPECT_THAT(monitor.LogTail(), testing::HasSubstr("starts over"));
    EXPECT_THAT(monitor.LogTail(), testing::HasSubstr(why));
  }
}

TEST(Checkpoint, OfAnotherProcessorMakesTheResultAMixedOne) {
  const RunConfig config = Tiny();
  auto checkpoint = Decoded(config, EveryCheckpoint(config)[3]);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  checkpoint->numerics_id = "cpu:another";
  const auto bytes = EncodeCheckpoint(config, *checkpoint);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const RunResult mixed = ResultOf(config, {.resume = *bytes, .reader = &TheReader()});
  EXPECT_EQ(mixed.numerics_id, MixNumerics(integrator::NumericsId(), "cpu:another"));
  EXPECT_NE(Hash(mixed), Hash(ResultOf(config)));  // it says so in the file
}

TEST(MixNumerics, NamesEachThatTookPartOnce) {
  EXPECT_EQ(MixNumerics("a", "a"), "a");
  EXPECT_EQ(MixNumerics("b", "a"), "mixed(a|b)");
  EXPECT_EQ(MixNumerics("mixed(a|b)", "b"), "mixed(a|b)");
  EXPECT_EQ(MixNumerics("mixed(a|b)", "c"), "mixed(a|b|c)");
}

// What this program prints when it is run once more, with so many other runs beside it.
std::string HashOfAnotherProcess(int company) {
  const std::string command = StrCat("/proc/", getpid(), "/exe --hash ", company);
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 256> buffer{};
  const size_t n = fread(buffer.data(), 1, buffer.size(), pipe.get());
  return std::string(buffer.data(), n);
}

TEST(Determinism, AnotherProcessWithOtherCompanyWritesTheSameFile) {
  const std::string here = Hash(ResultOf(Tiny()));
  for (const int company : {0, 1, 3}) EXPECT_EQ(HashOfAnotherProcess(company), here) << company;
}

void PrintHash(int company) {
  std::vector<std::thread> others;
  for (int i = 0; i < company; ++i) {
    others.emplace_back([i] {
      RunConfig other = Tiny();
      other.seed = 100 + i;
      other.Ng = 20 + i;
      ResultOf(other);
    });
  }
  std::fputs(Hash(ResultOf(Tiny())).c_str(), stdout);
  for (std::thread& other : others) other.join();
}

}  // namespace
}  // namespace gridsweep::worker

int main(int argc, char** argv) {
  gridsweep::integrator::UseOneThreadPerSlot();
  if (argc == 3 && std::strcmp(argv[1], "--hash") == 0) {
    gridsweep::worker::PrintHash(std::atoi(argv[2]));
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
