// What a run is called by its readout, and what it costs to train.
#include "science/config/parameters.h"

namespace gridsweep::science {

std::string ReadoutFamily(const RunConfig& config) {
  switch (config.place_field_values) {
    case Readout::kCartesian:
      return "Cartesian Low Dim";
    case Readout::kHighDimCartesian:
      return "Cartesian High Dim";
    case Readout::kPolar:
      return "Polar Low Dim";
    case Readout::kHighDimPolar:
      return "Polar High Dim";
    case Readout::kGaussian:
      return "Gaussian";
    case Readout::kDifferenceOfGaussians:
      // Without a softmax it is what its name says.
      return config.place_field_normalization == Normalization::kGlobal ? "DoS" : "DoG";
    case Readout::kTrueDifferenceOfGaussians:
      return "DoG";
    case Readout::kGeneralDifferenceOfGaussians:
      return "General DoG";
    case Readout::kSoftmaxOfDifferences:
      return "SoD";
  }
  return "";
}

std::string ReadoutLabel(const RunConfig& config) {
  std::string label = ReadoutFamily(config);
  const Readout readout = config.place_field_values;
  if (!IsPlaceCellReadout(readout)) return label;
  if (config.place_cell_rf.kind != Draw::Kind::kConstant ||
      (HasSurround(readout) && config.surround_scale.kind != Draw::Kind::kConstant)) {
    label += " multi-scale";
  }
  if (config.n_place_fields_per_cell != Draw::Constant(1)) label += " multi-field";
  return label;
}

double TrainingFlop(const RunConfig& config) {
  const double ng = static_cast<double>(config.Ng);
  const double outputs = static_cast<double>(config.Np + config.n_head_direction_cells);
  double recurrent = 0;  // multiply-adds a step and trajectory
  switch (config.rnn_type) {
    case RnnType::kRnn:
      recurrent = ng * ng;
      break;
    case RnnType::kSrnn:
      recurrent = 3 * ng * ng;
      break;
    case RnnType::kUgrnn:
      recurrent = 5 * ng * ng;
      break;
    case RnnType::kGru:
      recurrent = 7 * ng * ng;
      break;
    case RnnType::kLstm:
      recurrent = 9 * ng * ng;
      break;
    case RnnType::kBaninoLstm: {
      const double units = static_cast<double>(config.lstm_units);
      recurrent = 4 * units * units + units * ng;  // four gates, then the bottleneck
      break;
    }
  }
  const double forward = 2.0 * static_cast<double>(config.batch_size) *
                         static_cast<double>(config.sequence_length) * (recurrent + ng * outputs);
  return 3 * forward * static_cast<double>(config.TotalSteps());
}

}  // namespace gridsweep::science
