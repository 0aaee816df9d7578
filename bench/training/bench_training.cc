// How fast the integrator trains, and where a step's time goes.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "science/config/parameters.h"
#include "science/integrator/head_direction_cells.h"
#include "science/integrator/loss.h"
#include "science/integrator/network.h"
#include "science/integrator/network_inputs.h"
#include "science/integrator/optimizer.h"
#include "science/integrator/readout.h"
#include "science/integrator/trainer.h"
#include "science/integrator/trajectory.h"
#include "science/integrator/weights.h"

namespace {

using namespace gridsweep;
using namespace gridsweep::integrator;

// Of this thread's processor time: what else runs on the machine counts little.
double Now() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double Seconds(const std::function<void()>& work) {
  const double start = Now();
  work();
  return Now() - start;
}

double SgemmGflops() {
  const at::Tensor a = at::ones({1024, 1024}), b = at::ones({1024, 1024});
  at::Tensor c = at::empty({1024, 1024});
  double best = 1e9;
  for (int i = 0; i < 10; ++i) best = std::min(best, Seconds([&] { at::mm_out(c, a, b); }));
  return 2 * 1024.0 * 1024.0 * 1024.0 / best * 1e-9;
}

science::RunConfig Config(science::RnnType type, int64_t units) {
  science::RunConfig config;
  config.rnn_type = type;
  config.Ng = units;
  config.lstm_units = units;
  config.n_head_direction_cells = type == science::RnnType::kBaninoLstm ? 12 : 0;
  config.Np = units == 128 ? 256 : 512;
  config.batch_size = units == 128 ? 100 : 200;
  config.n_epochs = 1;
  config.n_grad_steps_per_epoch = 1'000'000;
  return config;
}

// Median milliseconds of each part of a step.
std::array<double, 6> Split(const science::RunConfig& config, double seconds) {
  const ReadoutMap readout(config);
  const HeadDirectionCells directions(config);
  std::vector<Weight> weights = DrawWeights(config);
  Network network(config, weights, config.sequence_length, config.batch_size);
  const int64_t rows = config.sequence_length * config.batch_size;
  std::vector<float> target(static_cast<size_t>(rows * config.Np));
  std::vector<Optimizer> adam;
  for (const Weight& weight : weights) adam.emplace_back(config.optimizer, weight.value.numel());
  Walks walks;
  std::array<std::vector<double>, 6> times;
  double total = 0;
  for (uint64_t step = 0; total < seconds || step < 3; ++step) {
    const std::function<void()> parts[] = {
        [&] {
          DrawWalks(BoxOf(config), Random(config.seed, Stream::kTrain, step),
                    config.sequence_length, config.batch_size, walks);
        },
        [&] {
          GiveWalks(walks, readout, directions, network);
          readout.Targets(walks.positions, target.data());
        },
        [&] { network.Forward(); },
        [&] { CrossEntropy(target.data(), network.place().data_ptr<float>(), rows, config.Np); },
        [&] { network.Backward(); },
        [&] {
          for (size_t i = 0; i < adam.size(); ++i) {
            const size_t n = static_cast<size_t>(weights[i].value.numel());
            adam[i].Step({.learning_rate = config.learning_rate}, step + 1,
                         {weights[i].gradient.data_ptr<float>(), n},
                         {weights[i].value.data_ptr<float>(), n});
          }
        }};
    for (size_t part = 0; part < times.size(); ++part) {
      times[part].push_back(1e3 * Seconds(parts[part]));
      total += times[part].back() * 1e-3;
    }
  }
  std::array<double, 6> medians{};
  for (size_t part = 0; part < times.size(); ++part) {
    std::ranges::sort(times[part]);
    medians[part] = times[part][times[part].size() / 2];
  }
  return medians;
}

double MedianStep(const science::RunConfig& config, double seconds) {
  auto trainer = Trainer::Create(config);
  if (!trainer.ok()) {
    std::fprintf(stderr, "%s\n", trainer.status().ToString().c_str());
    std::exit(1);
  }
  std::vector<double> times;
  for (double total = 0; total < seconds || times.size() < 3; total += times.back()) {
    times.push_back(Seconds([&] { (void)(*trainer)->Step(); }));
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void PrintRow(const science::RunConfig& config, double sgemm, double seconds) {
  const double step = MedianStep(config, seconds);
  const double flop =
      science::TrainingFlop(config) / static_cast<double>(config.n_grad_steps_per_epoch);
  const double rate = flop / step * 1e-9;
  const auto split = Split(config, seconds);
  const std::string network = science::ValueText(science::FindParameter("rnn_type")->get(config));
  std::printf("%-10s %5ld %5ld %5ld %9.2f %9.1f %8.0f | %5.2f %7.2f %7.2f %5.2f %8.2f %5.2f\n",
              network.c_str(), config.Ng, config.Np, config.batch_size, 1e3 * step, rate,
              100 * rate / sgemm, split[0], split[1], split[2], split[3], split[4], split[5]);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  using science::RnnType;
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  UseOneThreadPerSlot();
  const double sgemm = SgemmGflops();
  std::printf("%s, 1 thread, sgemm %.1f Gflop/s\n\n", NumericsId().c_str(), sgemm);
  std::printf("%-10s %5s %5s %5s %9s %9s %8s | %s\n", "network", "Ng", "Np", "B", "ms/step",
              "Gflop/s", "% sgemm", "walks targets forward  loss backward  adam (ms)");
  for (const int64_t units : {128, 256, 512, 1024}) {
    PrintRow(Config(RnnType::kRnn, units), sgemm, seconds);
  }
  for (const RnnType type :
       {RnnType::kSrnn, RnnType::kGru, RnnType::kLstm, RnnType::kUgrnn, RnnType::kBaninoLstm}) {
    for (const int64_t units : {128, 512}) PrintRow(Config(type, units), sgemm, seconds);
  }
}
