#include "sweepspec/untrainable.h"

#include <algorithm>
#include <map>
#include <string>

#include "common/strings.h"
#include "science/config/trainable.h"
#include "sweepspec/suggest.h"

namespace gridsweep::sweepspec {
namespace {

constexpr size_t kShown = 5;

struct Fault {
  std::string message;
  Where where;
  std::vector<std::string> values;
};

}  // namespace

std::vector<v1::Notice> FindUntrainable(const SweepPlan& plan,
                                        std::span<const science::RunConfig> runs) {
  std::map<std::string, Fault> faults;
  for (const auto& run : runs) {
    const auto error = science::CheckTrainable(run);
    if (!error) continue;
    auto [found, added] = faults.try_emplace(error->parameter);
    Fault& fault = found->second;
    if (added) {
      fault.message = error->message;
      fault.where = SetAt(plan, error->parameter, run).value_or(Unset(plan, error->parameter));
    }
    const auto value = ValueText(science::FindParameter(error->parameter)->get(run));
    if (fault.values.size() <= kShown &&
        std::ranges::find(fault.values, value) == fault.values.end()) {
      fault.values.push_back(value);
    }
  }
  Notices notices;
  for (auto& [parameter, fault] : faults) {
    if (fault.values.size() > kShown) fault.values.back() = "...";
    notices.Note(fault.where, StrCat(Join({fault.values.begin(), fault.values.end()}), ": ",
                                     fault.message, ", so submit refuses the sweep"));
  }
  return notices.Take();
}

}  // namespace gridsweep::sweepspec
