// The text of a sweep file, the whole way to its runs.
#include <algorithm>
#include <cstdint>
#include <string>

#include "common/status.h"
#include "sweepspec/run_config_proto.h"
#include "sweepspec/sweep_file.h"
#include "tests/fuzz/promise.h"

namespace gridsweep::fuzz {
namespace {

using sweepspec::ExpandResult;

constexpr uint64_t kMostRuns = 100;
constexpr uint64_t kDraws = 5;

void PromiseOfRun(const science::RunConfig& run) {
  const std::string json = sweepspec::CanonicalJson(run);
  const auto again = sweepspec::FromCanonicalJson(json);
  Promise(again.ok(), "a run of a sweep can be", json);
  Promise(sweepspec::CanonicalJson(*again) == json, "canonical JSON is read back as it was", json);
}

void PromiseOfResult(const std::string& text, const ExpandResult& result) {
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  const bool faulty = std::any_of(
      result.notices.begin(), result.notices.end(),
      [](const v1::Notice& notice) { return notice.severity() == v1::Notice::SEVERITY_ERROR; });
  Promise(faulty != result.sweep.has_value(), "a sweep is there where no error is");
  for (const v1::Notice& notice : result.notices) {
    Promise(!notice.message().empty(), "a notice says something");
    Promise(notice.line() <= lines, "a notice's line is in the file", notice.message());
    Promise(IsText(notice.message()) && IsText(notice.path()), "a notice is text",
            notice.message());
  }
  if (faulty) {
    Promise(!sweepspec::ToStatus(result.notices, "file").ok(), "errors make a refusal");
    return;
  }
  const auto& runs = result.sweep->runs;
  Promise(runs.size() <= kMostRuns, "no sweep is larger than it may be");
  if (runs.empty()) return;
  PromiseOfRun(runs.front());
  PromiseOfRun(runs.back());
}

}  // namespace
}  // namespace gridsweep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep;
  const std::string text(reinterpret_cast<const char*>(data), size);
  sweepspec::ExpandOptions options{.runs = std::nullopt, .max_runs = fuzz::kMostRuns};
  const sweepspec::ExpandResult result = sweepspec::ExpandYaml(text, options);
  fuzz::PromiseOfResult(text, result);
  if (result.sweep && result.sweep->needs_run_count) {
    options.runs = fuzz::kDraws;
    fuzz::PromiseOfResult(text, sweepspec::ExpandYaml(text, options));
  }
  return 0;
}
