#include "coordinator/stuck_watch.h"

#include <algorithm>

namespace gridsweep::coordinator {
namespace {

constexpr size_t kSamples = 31;
constexpr uint64_t kMostBeats = 1'000'000;  // that one may be said to have missed
constexpr auto kForgetAfter = std::chrono::minutes(30);

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

std::optional<absl::Duration> StuckWatch::Observe(int64_t worker_id,
                                                  const v1::LeaseProgress& progress, uint64_t beats,
                                                  Time now) {
  if (limits_.least <= absl::ZeroDuration()) return std::nullopt;
  const v1::Phase phase =
      v1::Phase_IsValid(progress.phase()) ? progress.phase() : v1::PHASE_UNSPECIFIED;
  MutexLock lock(mutex_);
  const auto [found, fresh] = leases_[worker_id].try_emplace(progress.ref().token());
  Lease& lease = found->second;
  const bool same_phase = !fresh && lease.phase == phase;
  if (same_phase) {
    // Each beat that another coordinator answered covers as much as one that came here.
    const uint64_t heard = beats > lease.beats ? std::min(beats - lease.beats, kMostBeats) : 1;
    lease.idle += std::min(absl::FromChrono(now - lease.seen),
                           static_cast<int64_t>(heard) * longest_gap_);
  }
  lease.beats = beats;
  const bool advanced =
      !same_phase || lease.step != progress.step() || lease.phase_done != progress.phase_done();
  if (advanced) {
    const uint64_t before = phase == v1::PHASE_TRAINING ? lease.step : lease.phase_done;
    const uint64_t done = phase == v1::PHASE_TRAINING ? progress.step() : progress.phase_done();
    if (same_phase && done > before) {
      auto& samples = lease.samples[static_cast<size_t>(phase)];
      if (samples.size() == kSamples) samples.erase(samples.begin());
      samples.push_back(absl::ToDoubleSeconds(lease.idle) / static_cast<double>(done - before));
    }
    lease.phase = phase;
    lease.step = progress.step();
    lease.phase_done = progress.phase_done();
    lease.idle = absl::ZeroDuration();
  }
  lease.seen = now;
  absl::Duration limit = limits_.least;
  if (const auto& samples = lease.samples[static_cast<size_t>(phase)]; !samples.empty()) {
    limit = std::max(limit, limits_.medians * absl::Seconds(Median(samples)));
  }
  if (phase == v1::PHASE_UPLOADING || lease.idle <= limit) return std::nullopt;
  return lease.idle;
}

void StuckWatch::KeepOnly(int64_t worker_id, Time now) {
  MutexLock lock(mutex_);
  const auto found = leases_.find(worker_id);
  if (found != leases_.end()) {
    std::erase_if(found->second, [&](const auto& item) { return item.second.seen < now; });
    if (found->second.empty()) leases_.erase(found);
  }
  if (now < next_purge_) return;
  // Workers that are gone.
  std::erase_if(leases_, [&](const auto& worker) {
    return std::ranges::all_of(worker.second, [&](const auto& item) {
      return item.second.seen < now - kForgetAfter;
    });
  });
  next_purge_ = now + kForgetAfter;
}

}  // namespace gridsweep::coordinator
