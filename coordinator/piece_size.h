// How much of a background work goes into one transaction.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <prometheus/counter.h>

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

namespace gridsweep::coordinator {

// Halved each time that the database ends a piece for time, down to 1, and doubled again after many
// that it did not; each such end is counted, and logged once a minute at most. For one thread.
class PieceSize {
 public:
  // `full`: what takes a second or so at most, as a rule. `timeouts` outlives this.
  PieceSize(std::string work, int full, prometheus::Counter& timeouts)
      : work_(std::move(work)), full_(full), size_(full), timeouts_(timeouts) {}

  int size() const { return size_; }

  // Calls `piece` (int -> absl::Status or absl::StatusOr<T>) with the size; its answer.
  template <typename Piece>
  auto Do(Piece piece) {
    auto answer = piece(size_);
    if constexpr (std::is_same_v<decltype(answer), absl::Status>) {
      Saw(answer);
    } else {
      Saw(answer.status());
    }
    return answer;
  }

 private:
  void Saw(const absl::Status& status);

  const std::string work_;
  const int full_;
  int size_, well_ = 0;  // pieces in a row that took no such end
  prometheus::Counter& timeouts_;
  std::chrono::steady_clock::time_point next_log_;
};

}  // namespace gridsweep::coordinator
