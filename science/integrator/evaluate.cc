#include "science/integrator/evaluate.h"

#include <optional>

#include "science/integrator/decoder.h"
#include "science/integrator/network.h"
#include "science/integrator/network_inputs.h"
#include "science/integrator/philox.h"
#include "science/integrator/template_decoder.h"
#include "science/integrator/trajectory.h"

namespace gridsweep::integrator {

absl::StatusOr<Evaluation> EvaluateNetwork(const science::RunConfig& config,
                                           const ReadoutMap& readout,
                                           const HeadDirectionCells& directions,
                                           const std::vector<Weight>& weights,
                                           const std::function<bool(int64_t)>& on_batch) {
  const Box box = BoxOf(config);
  const int64_t steps = config.eval_sequence_length;
  const int64_t rows = steps * config.batch_size;
  const Decoder decoder(config, readout);
  std::optional<TemplateDecoder> templates;
  if (decoder.votes()) templates.emplace(config, readout);
  Network network(config, weights, steps, config.batch_size);

  Evaluation result{};
  result.samples = config.eval_batches * rows;
  result.positions.reserve(static_cast<size_t>(result.samples * 2));
  result.activity.reserve(static_cast<size_t>(result.samples * config.Ng));
  double published = 0, most_active = 0, target_error = 0, template_error = 0;
  Walks walks;
  std::vector<float> targets(static_cast<size_t>(rows * readout.outputs()));
  std::vector<Vec2> matched;
  for (int64_t batch = 0; batch < config.eval_batches; ++batch) {
    const Random random(config.seed, Stream::kEval, static_cast<uint64_t>(batch));
    DrawWalks(box, random, steps, config.batch_size, walks);
    GiveWalks(walks, readout, directions, network);
    network.Forward();

    readout.Targets(walks.positions, targets.data());
    const at::Tensor place = network.place().cpu(), g = network.units().cpu();
    if (templates) templates->Decode(place, matched);
    const float* output = place.data_ptr<float>();
    for (int64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<size_t>(row);
      const Vec2 truth = {walks.positions[2 * at], walks.positions[2 * at + 1]};
      const float* activity = output + row * readout.outputs();
      published += Distance(box, decoder.Published(activity), truth);
      target_error += Distance(
          box, decoder.Published(&targets[at * static_cast<size_t>(readout.outputs())]), truth);
      if (templates) {
        most_active += Distance(box, decoder.MostActive(activity), truth);
        template_error += Distance(box, matched[at], truth);
      }
    }
    result.positions.insert(result.positions.end(), walks.positions.begin(), walks.positions.end());
    const float* units = g.data_ptr<float>();
    result.activity.insert(result.activity.end(), units, units + rows * config.Ng);
    if (on_batch && !on_batch(batch + 1)) return absl::CancelledError("the evaluation was stopped");
  }
  const double to_mean_cm = 100.0 / static_cast<double>(result.samples);
  result.pos_err_published = published * to_mean_cm;
  result.pos_err_target = target_error * to_mean_cm;
  if (templates) {
    result.pos_err_most_active = most_active * to_mean_cm;
    result.pos_err_template = template_error * to_mean_cm;
  }
  return result;
}

}  // namespace gridsweep::integrator
