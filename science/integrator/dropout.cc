#include "science/integrator/dropout.h"

#include <algorithm>
#include <array>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::DropoutMode;
using science::RnnType;
using science::RunConfig;

// Which mask, in the upper bits of the dropout stream's index.
enum Mask : uint64_t { kInput = 0, kRecurrent = 1, kUnits = 2 };

int64_t RecurrentInputs(const RunConfig& config) {
  switch (config.rnn_type) {
    case RnnType::kRnn:
      return 2;
    case RnnType::kBaninoLstm:
      return 3;
    default:
      return config.Ng;
  }
}

int64_t RecurrentUnits(const RunConfig& config) {
  return config.rnn_type == RnnType::kBaninoLstm ? config.lstm_units : config.Ng;
}

at::Tensor Room(double rate, int64_t rows, int64_t columns) {
  return rate > 0 ? at::empty({rows, columns}) : at::Tensor();
}

// An element is dropped where a uniform number in [0, 256) is below 256 * rate. Its
// whole part is one of the sixteen bytes of a block; a fraction is drawn only where
// it decides, for one element in 256.
void Fill(const Random& random, Mask which, double rate, at::Tensor& mask) {
  if (!mask.defined()) return;
  const uint64_t blocks = uint64_t{which} << 60, fractions = blocks | uint64_t{1} << 59;
  const auto whole = static_cast<uint32_t>(256 * rate);
  const double fraction = 256 * rate - whole;
  const auto kept = static_cast<float>(1 / (1 - rate));
  float* values = mask.data_ptr<float>();
  const auto size = static_cast<uint64_t>(mask.numel());
  std::array<uint8_t, 16> bytes;
  for (uint64_t from = 0; from < size; from += bytes.size()) {
    const auto words = random.Words(blocks | from / bytes.size());
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<uint8_t>(words[i / 4] >> i % 4 * 8);
    }
    const uint64_t n = std::min<uint64_t>(bytes.size(), size - from);
    for (uint64_t i = 0; i < n; ++i) values[from + i] = bytes[i] < whole ? 0 : kept;
    for (uint64_t i = 0; i < n; ++i) {
      if (bytes[i] != whole) continue;
      if (random.Uniforms(fractions | (from + i))[0] < fraction) values[from + i] = 0;
    }
  }
}

}  // namespace

Dropout::Dropout(const RunConfig& config)
    : seed_(config.seed),
      readout_rate_(config.readout_dropout),
      recurrent_rate_(config.recurrent_dropout) {
  const int64_t batch = config.batch_size;
  if (config.dropout_mode == DropoutMode::kKeras) {
    masks_.input = Room(readout_rate_, batch, RecurrentInputs(config));
    masks_.recurrent = Room(recurrent_rate_, batch, RecurrentUnits(config));
  } else if (config.dropout_mode == DropoutMode::kReadout) {
    masks_.units = Room(readout_rate_, config.sequence_length * batch, config.Ng);
  }
}

const DropoutMasks& Dropout::Draw(uint64_t step) {
  const Random random(seed_, Stream::kDropout, step);
  Fill(random, kInput, readout_rate_, masks_.input);
  Fill(random, kRecurrent, recurrent_rate_, masks_.recurrent);
  Fill(random, kUnits, readout_rate_, masks_.units);
  return masks_;
}

}  // namespace gridsweep::integrator
