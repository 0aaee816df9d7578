// Trains one path integrator and evaluates it. No LibTorch in this header, so
// that who trains does not compile against it.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// Chooses where networks are trained, for the whole process: "cpu", "cuda:N" ("cuda" is
// the first one), or "auto": the first CUDA device, where there is one, else the
// processor (as without this call). Walks, targets and scores are the processor's.
// Call once in main, before NumericsId and any Trainer.
// Errors: INVALID_ARGUMENT, naming what would do.
absl::Status UseDevice(std::string_view name);
// Whether that is a CUDA device.
bool UsesGpu();

// What decides the bits of a result: devices and BLAS kernel, library versions,
// precision. Stored with every result. For example
//   cpu:openblas-0.3.21-SkylakeX;torch-1.13.1;f32;unpacked
//   cpu:mkl-2024.2-AMD-EPYC-26.2-avx512;torch-2.15.0;f32;unpacked
//   cuda:NVIDIA-H100-PCIe-cublas-13.4.1;cpu:mkl-...;torch-2.15.0;f32;unpacked
std::string NumericsId();

// Prepares LibTorch for slots of one thread each: at::set_num_threads(1) and
// openblas_set_num_threads(1). Call once in main, before any Trainer.
void UseOneThreadPerSlot();

// Features that this build can train, for example "rnn_type:RNN",
// "place_field_values:gaussian"; what a worker registers with.
std::vector<std::string> SupportedFeatures();

struct StepResult {
  double loss;  // weight decay included (as published)
  bool finite;  // false: the run has diverged, and the weights were left as they were
};

// One evaluation: decoding errors in centimetres, and the samples for ratemaps.
struct Evaluation {
  double pos_err_published;
  std::optional<double> pos_err_most_active;  // absent without place cells
  double pos_err_target;
  std::optional<double> pos_err_template;  // absent without place cells
  int64_t samples;                         // eval_batches * eval_sequence_length * batch_size
  std::vector<double> positions;           // [samples, 2] metres (x, y): p_{k+1}
  std::vector<float> activity;             // [samples, Ng]: the scored units g_k
};

// Parameters of the readout, for the artifact; empty where a readout has none.
// Missing Poisson fields are NaN.
struct ReadoutParameters {
  int64_t cells = 0, fields = 0;
  std::vector<double> centers;           // [cells, fields, 2] metres
  std::vector<double> widths;            // [cells, fields] metres
  std::vector<double> surround_scales;   // [cells, fields]
  std::vector<double> linear_map;        // high_dim_cartesian: A [2, cells]
  std::vector<double> linear_offset;     //                     c [cells]
  std::vector<double> radius_map;        // high_dim_polar: a [cells / 2]
  std::vector<double> radius_offset;     //                 c [cells / 2]
  std::vector<double> preferred_angles;  //                 mu [cells / 2] radians
  std::vector<double> head_directions;   // [n_head_direction_cells] preferred, radians
};

// Sums of squares of the recurrent layer's two kernels, all gates, biases left out: what multiplies
// the layer's input and what multiplies its state before (of a matrix for both, its rows).
struct KernelSquares {
  double input, recurrent;
};

// Everything that training has changed, and so all that a resume needs beside the configuration:
// the rest is a function of configuration and step.
struct TrainingState {
  struct Parameter {
    std::string name;  // "recurrent.kernel"
    std::vector<int64_t> shape;
    std::vector<float> value;         // row-major
    std::vector<float> mean, square;  // the optimiser's; empty where it has none
  };
  uint64_t step = 0;  // gradient steps done
  std::vector<Parameter> parameters;
};

// One network. Not thread-safe; different objects may be used side by side.
// Same config and NumericsId -> the same bits, whatever runs beside it:
// randomness is counter-based, keyed by (seed, stream, step, index).
class Trainer {
 public:
  // Precondition: CheckConfig(config) finds nothing.
  // Errors: RESOURCE_EXHAUSTED when memory is short.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(const science::RunConfig& config);
  ~Trainer();

  // Steps done so far, 0 .. config.TotalSteps().
  uint64_t step() const;
  // One gradient step, on fresh trajectories or the next of the fixed ones.
  absl::StatusOr<StepResult> Step();

  // Evaluates at T = eval_sequence_length over eval_batches batches of the
  // evaluation stream (the same positions whenever it is called). Calls
  // `on_batch` after each batch; stops with CANCELLED when that answers false.
  absl::StatusOr<Evaluation> Evaluate(
      const std::function<bool(int64_t batches_done)>& on_batch = nullptr);

  // A copy, for a checkpoint. A trainer of the same configuration that restores it goes on to the
  // same bits as this one.
  TrainingState state() const;
  // Errors: INVALID_ARGUMENT naming what does not fit this configuration; then nothing has changed.
  absl::Status Restore(const TrainingState& state);

  ReadoutParameters readout_parameters() const;
  KernelSquares kernel_squares() const;

 private:
  class Impl;
  explicit Trainer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gridsweep::integrator
