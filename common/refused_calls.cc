#include "common/refused_calls.h"

#include <absl/time/clock.h>

#include <algorithm>

#include "common/log.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

constexpr size_t kShownMethod = 200;  // bytes; a caller may send any name

constexpr std::pair<RefusedFor, const char*> kReasons[] = {
    {RefusedFor::kNoToken, "no_token"},
    {RefusedFor::kUnknownToken, "unknown_token"},
    {RefusedFor::kRole, "role"},
    {RefusedFor::kUnknownMethod, "unknown_method"}};

const char* NameOf(RefusedFor reason) {
  for (const auto& [known, name] : kReasons) {
    if (known == reason) return name;
  }
  return "";
}

}  // namespace

RefusedCalls::RefusedCalls(Metrics& metrics, absl::Duration every, int burst)
    : every_(every), burst_(burst) {
  for (const auto& [reason, name] : kReasons) {
    counters_[reason] = &metrics.Counter("gridsweep_refused_calls_total",
                                         "Calls that were refused for their token or role, or for "
                                         "a method that there is not.",
                                         {{"reason", name}});
  }
}

void RefusedCalls::Add(RefusedFor reason, const std::string& method,
                       const std::string& token_name) {
  counters_.at(reason)->Increment();
  int64_t left_out = 0;
  {
    MutexLock lock(mutex_);
    const absl::Time now = absl::Now();
    full_at_ = std::max(full_at_, now) + every_;
    if (full_at_ - now > burst_ * every_) {
      full_at_ -= every_;
      ++left_out_;
      return;
    }
    std::swap(left_out, left_out_);
  }
  spdlog::warn("audit: {} by {} refused: {}{}", method.substr(0, kShownMethod),
               token_name.empty() ? "nobody named" : token_name, NameOf(reason),
               left_out == 0 ? "" : StrCat(" (and ", left_out, " more calls before it)"));
}

}  // namespace gridsweep
