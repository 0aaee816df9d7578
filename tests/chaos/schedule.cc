#include "tests/chaos/schedule.h"

#include <random>

#include "common/strings.h"

namespace gridsweep::testing {
namespace {

using std::chrono::milliseconds;

struct Row {
  FaultKind kind;
  int weight;  // of all: how often
  const char* name;
  const char* part;
  bool numbered;  // there are several of the part
};

constexpr char kArtifacts[] = "artifacts";

// Restarts of workers are the dearest in processor time: they load LibTorch.
constexpr Row kRows[] = {
    {FaultKind::kKillWorker, 10, "SIGKILL", "worker", true},
    {FaultKind::kTerminateWorker, 6, "SIGTERM", "worker", true},
    {FaultKind::kFreezeWorker, 12, "SIGSTOP", "worker", true},
    {FaultKind::kCutWorker, 16, "connections cut", "link", true},
    {FaultKind::kStallWorker, 8, "connections stalled", "link", true},
    {FaultKind::kSlowWorker, 8, "connections slow", "link", true},
    {FaultKind::kMisleadWorker, 8, "connections to a wrong port", "link", true},
    {FaultKind::kRevokeToken, 6, "revoked", "token", true},
    {FaultKind::kDemoteToken, 4, "replaced by one of role read", "token", true},
    {FaultKind::kSetWorkerClock, 6, "clock set", "clock", true},
    {FaultKind::kKillCoordinator, 10, "SIGKILL", "coordinator", true},
    {FaultKind::kTerminateCoordinator, 6, "SIGTERM", "coordinator", true},
    {FaultKind::kFreezeCoordinator, 8, "SIGSTOP", "coordinator", true},
    {FaultKind::kRestartDatabase, 3, "restarted, fast", "database", false},
    {FaultKind::kAbortDatabase, 3, "restarted, immediate", "database", false},
    {FaultKind::kCrashDatabase, 2, "SIGKILL", "database", false},
    {FaultKind::kTerminateBackends, 12, "sessions terminated", "sessions", false},
    {FaultKind::kExhaustDatabase, 4, "connections exhausted", "connections", false},
    // Last: where they are left out, the others are drawn as often.
    {FaultKind::kUnmountArtifacts, 5, "unmounted", kArtifacts, false},
    {FaultKind::kLockArtifacts, 5, "read-only", kArtifacts, false},
    {FaultKind::kFillArtifacts, 5, "full", kArtifacts, false},
    {FaultKind::kCloseArtifacts, 5, "unreadable", kArtifacts, false},
};

const Row& RowOf(FaultKind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row;
  }
  return kRows[0];
}

}  // namespace

std::vector<Fault> DrawSchedule(uint64_t seed, int faults, const Targets& targets) {
  std::mt19937_64 random(seed);
  // Not the library's distributions: they differ from one to the next.
  const auto draw = [&](uint64_t n) { return static_cast<int>(random() % n); };
  int weights = 0;
  for (const Row& row : kRows) {
    if (targets.artifacts || row.part != std::string(kArtifacts)) weights += row.weight;
  }
  std::vector<Fault> schedule;
  for (int i = 0; i < faults; ++i) {
    int at = draw(static_cast<uint64_t>(weights));
    const Row* row = kRows;
    for (; at >= row->weight; ++row) at -= row->weight;
    Fault fault{};
    fault.kind = row->kind;
    const int those =
        row->part == std::string("coordinator") ? targets.coordinators : targets.workers;
    fault.target = row->numbered ? draw(static_cast<uint64_t>(those)) : 0;
    fault.gap = milliseconds(50 + draw(400));
    // One in four goes beyond the lease.
    const auto ttl = static_cast<uint64_t>(targets.lease_ttl.count());
    fault.lasts = milliseconds(draw(4) == 0 ? static_cast<int>(ttl) + draw(ttl) : draw(ttl / 2));
    if (row->kind == FaultKind::kSetWorkerClock) fault.amount = draw(172800) - 86400;
    if (row->kind == FaultKind::kTerminateBackends) fault.amount = 1 + draw(4);
    if (row->kind == FaultKind::kSlowWorker) fault.amount = 2000 << draw(4);
    if (row->kind == FaultKind::kUnmountArtifacts) fault.amount = 1 + draw(2);
    if (row->part == std::string("database") || row->kind == FaultKind::kExhaustDatabase) {
      fault.lasts = milliseconds(draw(1000));
    }
    schedule.push_back(fault);
  }
  return schedule;
}

std::string NameOf(FaultKind kind) { return RowOf(kind).name; }

std::string PartOf(const Fault& fault) {
  const Row& row = RowOf(fault.kind);
  return row.numbered ? StrCat(row.part, "-", fault.target) : row.part;
}

std::string Describe(const Fault& fault) {
  std::string text = StrCat(PartOf(fault), ": ", NameOf(fault.kind));
  if (fault.amount != 0) text += StrCat(", ", fault.amount);
  return StrCat(text, ", for ", fault.lasts.count(), " ms");
}

}  // namespace gridsweep::testing
