#include "tests/end_to_end/victim.h"

#include <gtest/gtest.h>

#include "common/strings.h"

namespace gridsweep::testing {
namespace {

Victim::Lease LeaseOf(const v1::LeaseRef& ref) { return {ref.run_id(), ref.attempt()}; }

std::string Text(const v1::LeaseRef& ref) {
  return StrCat("run ", ref.run_id(), " attempt ", ref.attempt());
}

}  // namespace

Victim::Victim(const Instance& instance, const KillPlan& plan, const std::string& name)
    : plan_(plan),
      after_(static_cast<size_t>(plan.after)),
      proxy_(instance.coordinator(), instance.Socket(name), Hooks()) {
  MutexLock lock(mutex_);
  worker_ = instance.StartWorker(name, plan.slots, instance.Socket(name), name);
}

void Victim::Kill(const std::string& at) {
  EXPECT_TRUE(worker_->Kill()) << "it had ended by itself";
  killed_ = at;
}

DispatchHooks Victim::Hooks() {
  DispatchHooks hooks;
  hooks.granted = [this](const v1::LeaseRunsResponse& response) {
    MutexLock lock(mutex_);
    // A grant that was on its way to a dead worker may have been taken back.
    if (!killed_.empty()) return false;
    std::string runs;
    for (const v1::Lease& lease : response.leases()) {
      granted_.insert(LeaseOf(lease.ref()));
      runs += StrCat(runs.empty() ? "" : ", ", Text(lease.ref()));
    }
    if (plan_.point == KillPoint::kBeforeGrant && Due() && !runs.empty()) {
      Kill(StrCat("granted ", runs));
    }
    return killed_.empty();
  };
  hooks.beating = [this](const v1::HeartbeatRequest& request) {
    MutexLock lock(mutex_);
    for (const v1::LeaseProgress& progress : request.held()) {
      if (plan_.point == KillPoint::kTraining && Due() && progress.step() >= plan_.step &&
          progress.phase() == v1::PHASE_TRAINING) {
        Kill(StrCat("at step ", progress.step(), " of ", progress.total_steps(), " of ",
                    Text(progress.ref())));
      }
    }
    return killed_.empty();
  };
  hooks.uploading = [this](int chunks) {
    MutexLock lock(mutex_);
    if (plan_.point == KillPoint::kUploading && Due() && chunks == plan_.chunks &&
        chunks < kUploadChunks) {
      Kill(StrCat(chunks, " chunks sent"));
    }
    return killed_.empty();
  };
  hooks.uploaded = [this] {
    MutexLock lock(mutex_);
    if (plan_.point == KillPoint::kUploading && Due() && plan_.chunks == kUploadChunks) {
      Kill("artifact stored");
    }
    return killed_.empty();
  };
  hooks.completing = [this](const v1::LeaseRef& ref) {
    MutexLock lock(mutex_);
    completing_.insert(LeaseOf(ref));
  };
  hooks.completed = [this](const v1::LeaseRef& ref) {
    MutexLock lock(mutex_);
    if (plan_.point == KillPoint::kAfterCommit && Due()) {
      Kill(StrCat("committed ", Text(ref)));
    }
    completed_.insert(LeaseOf(ref));
    return killed_.empty();
  };
  return hooks;
}

std::string Victim::Killed() const {
  MutexLock lock(mutex_);
  return killed_;
}

Victim::Leases Victim::ItsLeases() const {
  MutexLock lock(mutex_);
  Leases leases;
  leases.succeeded = completed_;
  for (const Lease& lease : granted_) {
    if (completed_.contains(lease)) continue;
    (completing_.contains(lease) ? leases.either : leases.lost).insert(lease);
  }
  return leases;
}

}  // namespace gridsweep::testing
