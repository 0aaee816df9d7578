// What must hold after each transaction, whoever made it: the invariants, told by what was there
// before and what is there now.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "tests/model/memory_lease_store.h"

namespace gridsweep::coordinator {

enum class Operation {
  kAdd,
  kRegister,
  kClaim,
  kRenew,
  kCheckpoint,
  kRelease,
  kFail,
  kComplete,
  kExpire,
  kDue,
  kPause,
  kResume,
  kStop,
  kCancel,
  kRetry,
  kTell,  // cordon, drain, uncordon
};
inline constexpr int kOperations = 16;
const char* NameOf(Operation operation);

// A transaction that has committed.
struct Step {
  Operation operation;
  std::vector<LeaseKey> keys = {};  // what a worker named
  int64_t worker_id = 0;            // who it is about; 0 = nobody, or one that is new
  int64_t sweep_id = 0;
  std::string incarnation = {};             // of a registration
  bool same_host = true;                    // of a registration
  absl::Time now = absl::InfiniteFuture();  // the database's, where the statement found rows by it
  bool may_expire = true;                   // heartbeats could have come for a whole lease time
};

class Audit {
 public:
  explicit Audit(const MemoryLeaseStore& store) : store_(store) {}

  // Compares the store with how the last call left it. Empty, or what is wrong.
  std::vector<std::string> Check(const Step& step);

  // Runs whose row the last Check found changed.
  const std::vector<int64_t>& changed() const { return changed_; }

 private:
  struct Before {
    State state;
    int attempt, failures;
    std::string token, incarnation, result;  // "" = none
    int64_t worker_id;
    absl::Time expires_at;
    std::optional<uint64_t> checkpoint_step;
    std::optional<absl::Time> not_before;
    size_t attempts;
    bool cancelling;
    bool operator==(const Before&) const = default;
  };
  static void Copy(const ModelRun& run, Before& before);
  static bool Same(const ModelRun& run, const Before& before);
  // The change of a row, and the row itself.
  void CheckChange(const Step& step, int64_t run_id, const Before& was, const ModelRun& is);
  void CheckFailures(const Step& step, int64_t run_id, const Before& was, const ModelRun& is);
  void CheckRow(int64_t run_id, const ModelRun& run);
  void Fault(const Step& step, int64_t run_id, const std::string& what);

  const MemoryLeaseStore& store_;
  std::vector<Before> before_;
  std::unordered_set<std::string> granted_;  // tokens
  std::vector<int64_t> changed_;
  std::vector<std::string> faults_;
};

}  // namespace gridsweep::coordinator
