#include "science/integrator/template_decoder.h"

#include <algorithm>

#include "science/integrator/lanes.h"

namespace gridsweep::integrator {
namespace {

constexpr int64_t kPoints = kTemplateSide * kTemplateSide;
constexpr int64_t kChunk = 64;  // rows whose scores stay in the processor's cache
static_assert(kPoints % kLanes == 0);

// The first index of the largest of scores - penalty.
GRIDSWEEP_LANES_FUNCTION
int64_t Best(const float* scores, const float* penalty) {
  Lanes most = Load(scores) - Load(penalty);
  IntLanes block{};  // where each lane found its largest
  for (int32_t i = kLanes; i < kPoints; i += kLanes) {
    const Lanes value = Load(scores + i) - Load(penalty + i);
    block = value > most ? IntLanes{} + i : block;
    most = Max(value, most);
  }
  int64_t best = block[0];
  float value = most[0];
  for (int lane = 1; lane < kLanes; ++lane) {
    const int64_t index = block[lane] + lane;
    if (most[lane] > value || (most[lane] == value && index < best)) {
      value = most[lane];
      best = index;
    }
  }
  return best;
}

}  // namespace

TemplateDecoder::TemplateDecoder(const science::RunConfig& config, const ReadoutMap& readout)
    : penalty_(kPoints) {
  std::vector<double> positions;
  for (int64_t i = 0; i < kTemplateSide; ++i) {
    for (int64_t j = 0; j < kTemplateSide; ++j) {
      const Vec2 p = {
          ((static_cast<double>(i) + 0.5) / kTemplateSide - 0.5) * config.box_width_in_m,
          ((static_cast<double>(j) + 0.5) / kTemplateSide - 0.5) * config.box_height_in_m};
      points_.push_back(p);
      positions.insert(positions.end(), {p.x, p.y});
    }
  }
  templates_ = at::empty({kPoints, readout.outputs()}, at::TensorOptions().dtype(at::kFloat));
  readout.Targets(positions, templates_.data_ptr<float>());
  if (config.place_field_loss == science::Loss::kMse) {
    // |a - y|^2 = |a|^2 - 2 (a . y - |y|^2 / 2). Under cross-entropy every target
    // sums to 1, so that -sum y log softmax(a) = logsumexp(a) - a . y; under binary
    // cross-entropy the loss is sum log(1 + e^a) - a . y.
    const at::Tensor halves = templates_.square().sum(1) * 0.5;
    std::copy_n(halves.data_ptr<float>(), kPoints, penalty_.begin());
  }
  Compress();
  scores_ = at::empty({kChunk, kPoints}, at::TensorOptions().dtype(at::kFloat));
}

// Targets of wide fields vary slowly over the lattice, so that few directions
// span them. Those with less than a millionth of the largest singular value are
// below what float32 products resolve.
void TemplateDecoder::Compress() {
  const at::Tensor templates = templates_.to(at::kDouble);
  const auto [squares, directions] = at::linalg_eigh(templates.t().mm(templates));
  const double least = squares[-1].item<double>() * 1e-12;
  const int64_t rank = (squares > least).sum().item<int64_t>();
  if (rank > templates.size(1) * 3 / 4) return;
  // eigh sorts in ascending order.
  const at::Tensor basis = directions.narrow(1, directions.size(1) - rank, rank);
  basis_ = basis.to(at::kFloat).contiguous();
  templates_ = templates.mm(basis).to(at::kFloat).contiguous();
}

void TemplateDecoder::Decode(const at::Tensor& activity, std::vector<Vec2>& decoded) {
  const int64_t rows = activity.size(0);
  decoded.resize(static_cast<size_t>(rows));
  const at::Tensor columns = templates_.t();
  const at::Tensor projected = basis_.defined() ? activity.mm(basis_) : activity;
  for (int64_t from = 0; from < rows; from += kChunk) {
    const int64_t n = std::min(kChunk, rows - from);
    at::Tensor scores = scores_.narrow(0, 0, n);
    at::mm_out(scores, projected.narrow(0, from, n), columns);
    const float* values = scores.data_ptr<float>();
    for (int64_t row = 0; row < n; ++row) {
      decoded[static_cast<size_t>(from + row)] =
          points_[static_cast<size_t>(Best(values + row * kPoints, penalty_.data()))];
    }
  }
}

}  // namespace gridsweep::integrator
