#include "coordinator/piece_size.h"

#include <algorithm>

#include "common/log.h"
#include "coordinator/store/database.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kWellBeforeMore = 64;
constexpr auto kLogEvery = std::chrono::minutes(1);

}  // namespace

void PieceSize::Saw(const absl::Status& status) {
  if (status.ok()) {
    if (++well_ < kWellBeforeMore || size_ == full_) return;
    size_ = std::min(full_, 2 * size_);
    well_ = 0;
    return;
  }
  if (!TimedOut(status)) return;
  timeouts_.Increment();
  const int before = std::exchange(size_, std::max(1, size_ / 2));
  well_ = 0;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_log_) return;
  next_log_ = now + kLogEvery;
  spdlog::warn(
      "{}: the database took too long for {} at once; the next piece is of {}. Where this goes on, "
      "look for what holds the database up (a lock, an old snapshot, a slow disk): {}",
      work_, before, size_, std::string(status.message()));
}

}  // namespace gridsweep::coordinator
