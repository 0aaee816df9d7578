// What a verification counted and found at fault.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

class Findings {
 public:
  // Faults of one check that are told one by one; more are counted.
  static constexpr int64_t kToldFaults = 20;

  // One thing was looked at by `check`.
  void Checked(const std::string& check, int64_t things = 1) { tallies_[check].checked += things; }
  // One thing was found wrong. `run_id` 0: of the sweep.
  void Fault(const std::string& check, int64_t run_id, const std::string& message) {
    if (++tallies_[check].faults > kToldFaults) return;
    auto& line = lines_.emplace_back();
    line.set_severity(v1::VerifySweepResponse::SEVERITY_FAULT);
    line.set_check(check);
    line.set_message(message);
    line.set_count(1);
    line.set_run_id(run_id);
  }
  // `good`, or a fault.
  void Expect(bool good, const std::string& check, int64_t run_id, const std::string& message) {
    Checked(check);
    if (!good) Fault(check, run_id, message);
  }

  // Lines since the last call.
  std::vector<v1::VerifySweepResponse> Take() { return std::exchange(lines_, {}); }
  // The last lines: untold faults, and what each check has counted.
  std::vector<v1::VerifySweepResponse> Summary() const {
    std::vector<v1::VerifySweepResponse> lines;
    for (const auto& [check, tally] : tallies_) {
      if (tally.faults > kToldFaults) {
        auto& line = lines.emplace_back();
        line.set_severity(v1::VerifySweepResponse::SEVERITY_FAULT);
        line.set_check(check);
        line.set_count(tally.faults - kToldFaults);
        line.set_message("and " + std::to_string(line.count()) + " more like these");
      }
    }
    for (const auto& [check, tally] : tallies_) {
      auto& line = lines.emplace_back();
      line.set_severity(v1::VerifySweepResponse::SEVERITY_COUNTED);
      line.set_check(check);
      line.set_count(tally.checked);
      line.set_message(std::to_string(tally.checked) + " checked, " + std::to_string(tally.faults) +
                       " at fault");
    }
    return lines;
  }

 private:
  struct Tally {
    int64_t checked = 0, faults = 0;
  };
  std::map<std::string, Tally> tallies_;
  std::vector<v1::VerifySweepResponse> lines_;
};

}  // namespace gridsweep::analysis
