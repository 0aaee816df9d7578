// What an expansion has cost so far, and whether it goes on.
#pragma once

#include <cstdint>

#include "sweepspec/notices.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepspec {

class Meter {
 public:
  // `options` must outlive this.
  explicit Meter(const ExpandOptions& options) : options_(options) {}
  ~Meter() { Look(); }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  void Spend(uint64_t steps) { steps_ += steps; }
  // False, for good, after options.stop said so or once more than options.max_steps are spent; the
  // latter is an error at `where`. Asked once a point.
  bool GoesOn(const Where& where, Notices& notices) {
    if (steps_ - looked_ < kStepsBetweenLooks) return !ended_;
    if (Look()) {
      stopped_ = ended_ = true;
    } else if (steps_ > options_.max_steps && !ended_) {
      ended_ = true;
      notices.Error(where, TooManySteps());
    }
    return !ended_;
  }
  bool stopped() const { return stopped_; }
  uint64_t steps() const { return steps_; }

 private:
  static constexpr uint64_t kStepsBetweenLooks = 1'000'000;

  bool Look() {
    const uint64_t spent = steps_ - looked_;
    looked_ = steps_;
    return options_.stop && options_.stop(spent);
  }
  std::string TooManySteps() const;

  const ExpandOptions& options_;
  uint64_t steps_ = 0;
  uint64_t looked_ = 0;  // at how many options.stop was last asked
  bool ended_ = false, stopped_ = false;
};

}  // namespace gridsweep::sweepspec
