#include "tests/end_to_end/kill_plan.h"

#include <random>

#include "common/strings.h"

namespace gridsweep::testing {

KillPlan DrawKillPlan(uint64_t seed, uint64_t steps) {
  std::mt19937_64 random(seed);
  // Not the library's distributions: they differ from one to the next.
  const auto draw = [&](uint64_t n) { return random() % n; };
  KillPlan plan{};
  plan.seed = seed;
  // Four seeds in a row have the four points, twelve all moments of an upload.
  plan.point = static_cast<KillPoint>(seed % 4);
  plan.chunks = static_cast<int>(seed / 4 % (kUploadChunks + 1));
  plan.after = static_cast<int>(draw(2));
  plan.slots = 1 + static_cast<int>(draw(2));
  // Early enough that a heartbeat still finds the run in training.
  plan.step = 1 + draw(steps / 2);
  plan.same_name = draw(2) == 1;
  return plan;
}

std::string Describe(const KillPlan& plan) {
  std::string point;
  switch (plan.point) {
    case KillPoint::kBeforeGrant:
      point = "before a grant reaches it";
      break;
    case KillPoint::kTraining:
      point = StrCat("in training from step ", plan.step);
      break;
    case KillPoint::kUploading:
      point = plan.chunks == kUploadChunks ? "when its artifact is stored, before the reply"
                                           : StrCat("in upload after chunk ", plan.chunks);
      break;
    case KillPoint::kAfterCommit:
      point = "after the commit of its result, before the reply";
      break;
  }
  return StrCat("seed ", plan.seed, ": a worker of ", plan.slots, " slots is killed ", point,
                ", with ", plan.after, " runs done; then comes ",
                plan.same_name ? "one of its name" : "another");
}

}  // namespace gridsweep::testing
