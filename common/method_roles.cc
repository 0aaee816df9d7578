#include "common/method_roles.h"

#include <string>
#include <unordered_map>
#include <utility>

namespace gridsweep {
namespace {

using Rules = std::unordered_map<std::string, MethodRule>;

constexpr std::pair<v1::Role, std::string_view> kNames[] = {{v1::ROLE_READ, "read"},
                                                            {v1::ROLE_SUBMIT, "submit"},
                                                            {v1::ROLE_WORK, "work"},
                                                            {v1::ROLE_ADMIN, "admin"}};

void Add(Rules& rules, const std::string& service, MethodRule rule,
         std::initializer_list<const char*> methods) {
  for (const char* method : methods) rules["/" + service + "/" + method] = rule;
}

const Rules& AllRules() {
  static const Rules* const rules = [] {
    constexpr MethodRule kLook{v1::ROLE_READ, false};
    constexpr MethodRule kChange{v1::ROLE_SUBMIT, true};
    constexpr MethodRule kAsk{v1::ROLE_WORK, false};
    constexpr MethodRule kWork{v1::ROLE_WORK, true};
    constexpr MethodRule kRule{v1::ROLE_ADMIN, true};
    auto* r = new Rules;
    Add(*r, "gridsweep.v1.SweepService", kLook,
        {"ValidateSweep", "GetSweep", "ListSweeps", "WatchSweep", "ListRuns", "GetRun",
         "StreamLogs"});
    Add(*r, "gridsweep.v1.SweepService", kChange,
        {"CreateSweep", "CancelSweep", "PauseSweep", "ResumeSweep", "StopSweep", "RetrySweep",
         "DeleteSweep"});
    // Asked again and again without a change that a user made: no line for each.
    Add(*r, "gridsweep.v1.DispatchService", kAsk,
        {"LeaseRuns", "Heartbeat", "FindUpload", "LoadCheckpoint"});
    Add(*r, "gridsweep.v1.DispatchService", kWork,
        {"Register", "UploadArtifact", "CompleteRun", "FailRun", "ReleaseRuns", "SaveCheckpoint"});
    Add(*r, "gridsweep.v1.AdminService", kLook, {"ListWorkers"});
    Add(*r, "gridsweep.v1.AdminService", kRule,
        {"CordonWorker", "UncordonWorker", "DrainWorker", "CreateToken", "RevokeToken",
         "CheckArtifacts"});
    Add(*r, "gridsweep.v1.AdminService", {v1::ROLE_ADMIN, false}, {"ListTokens"});
    Add(*r, "gridsweep.v1.AnalysisService", kLook,
        {"Fraction", "Summarize", "ListUnits", "GetRatemaps", "VerifySweep", "ComparePublished",
         "NeuralPredictivity", "PredictRecordings", "ReadoutTheory", "RenderFigure",
         "ListMetrics"});
    Add(*r, "grpc.reflection.v1alpha.ServerReflection", kLook, {"ServerReflectionInfo"});
    // Probes have no token.
    Add(*r, "grpc.health.v1.Health", {v1::ROLE_UNSPECIFIED, false}, {"Check", "Watch"});
    return r;
  }();
  return *rules;
}

}  // namespace

std::optional<MethodRule> RuleOf(std::string_view path) {
  const auto found = AllRules().find(std::string(path));
  if (found == AllRules().end()) return std::nullopt;
  return found->second;
}

bool Permits(v1::Role has, v1::Role least) {
  if (least == v1::ROLE_UNSPECIFIED || has == v1::ROLE_ADMIN || has == least) return true;
  return least == v1::ROLE_READ && (has == v1::ROLE_SUBMIT || has == v1::ROLE_WORK);
}

std::string_view RoleName(v1::Role role) {
  for (const auto& [known, name] : kNames) {
    if (known == role) return name;
  }
  return "none";
}

std::optional<v1::Role> ParseRole(std::string_view name) {
  for (const auto& [role, known] : kNames) {
    if (known == name) return role;
  }
  return std::nullopt;
}

}  // namespace gridsweep
