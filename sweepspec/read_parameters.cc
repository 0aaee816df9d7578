// `parameters:` and the groups in it, W&B's nested parameters.
#include <algorithm>
#include <map>
#include <utility>

#include "common/strings.h"
#include "sweepspec/read.h"
#include "sweepspec/scalar.h"

namespace gridsweep::sweepspec {
namespace {

using science::Parameter;

constexpr size_t kMaxParameterPath = 256;

class ParametersReader {
 public:
  ParametersReader(SweepPlan& plan, Notices& notices) : plan_(plan), notices_(notices) {}

  // Adds the axes in W&B's order: by name at each level.
  void Read(const std::string& path, const YamlEntry& entry) {
    const Where where = At(path, entry);
    if (entry.value.kind != YamlNode::Kind::kMap || entry.value.entries.empty()) {
      notices_.Error(where, StrCat("is ", Describe(entry.value),
                                   "; it must be a mapping from parameters to their values"));
      return;
    }
    std::vector<const YamlEntry*> parts;
    for (const YamlEntry& part : entry.value.entries) parts.push_back(&part);
    std::sort(parts.begin(), parts.end(),
              [](const YamlEntry* a, const YamlEntry* b) { return a->key < b->key; });
    for (const YamlEntry* part : parts) ReadPart(StrCat(path, ".", part->key), *part);
  }

 private:
  void ReadPart(const std::string& path, const YamlEntry& part) {
    // Each value keeps its path.
    if (path.size() > kMaxParameterPath) {
      notices_.Error(At(path, part), StrCat("a parameter's path has at most ", kMaxParameterPath,
                                            " bytes; use fewer groups, or shorter names"));
      return;
    }
    const Parameter* parameter = science::FindParameter(part.key);
    if (const YamlEntry* group = part.value.Find("parameters")) {
      ReadGroup(path, part, *group, parameter);
    } else if (parameter == nullptr) {
      notices_.Error(At(path, part), notices_.full() ? "" : UnknownParameter(part.key));
    } else if (const auto [first, added] = places_.emplace(parameter, path); !added) {
      notices_.Error(At(path, part), StrCat("is set by ", first->second, " too; remove one"));
    } else if (values_ > kMaxValuesTogether) {
      return;  // said already
    } else if (auto axis = ReadAxis(*parameter, path, part, plan_.method == "grid", notices_)) {
      values_ += axis->values.size();
      if (values_ > kMaxValuesTogether) {
        notices_.Error(At(path, part),
                       StrCat("with it the parameters have more than ", kMaxValuesTogether,
                              " values; use a larger q, or method: random"));
      } else {
        plan_.axes.push_back(std::move(*axis));
      }
    }
  }

  void ReadGroup(const std::string& path, const YamlEntry& part, const YamlEntry& group,
                 const Parameter* parameter) {
    if (parameter != nullptr) {
      notices_.Error(At(path + ".parameters", group),
                     StrCat(parameter->name,
                            " is a parameter itself, so it cannot name a group; "
                            "write its own value, and the others beside it"));
      return;
    }
    if (part.value.entries.size() > 1) {
      notices_.Error(At(path, part), "a group holds parameters and nothing else");
      return;
    }
    if (!std::exchange(noted_, true)) {
      notices_.Note(At(path, part),
                    "groups have no meaning here: what is in one is read as if it stood directly "
                    "under parameters");
    }
    Read(path + ".parameters", group);
  }

  SweepPlan& plan_;
  Notices& notices_;
  std::map<const Parameter*, std::string> places_;
  uint64_t values_ = 0;
  bool noted_ = false;
};

}  // namespace

void ReadParameters(const YamlEntry& entry, SweepPlan& plan, Notices& notices) {
  plan.where = At("parameters", entry);
  ParametersReader(plan, notices).Read("parameters", entry);
}

}  // namespace gridsweep::sweepspec
