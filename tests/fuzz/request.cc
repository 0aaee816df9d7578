// Requests as they come over the wire, through the checks that need no database. The first byte
// says which request the others are; a stream's messages each have their length before them.
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/queries/fraction.h"
#include "analysis/queries/list_units.h"
#include "analysis/queries/summarize.h"
#include "coordinator/dispatch_checks.h"
#include "coordinator/store/results.h"
#include "sweepspec/run_config_proto.h"
#include "sweepspec/sweep_file.h"
#include "tests/fuzz/promise.h"

namespace gridsweep::fuzz {
namespace {

constexpr uint64_t kMostRuns = 100;

template <class Answer>
void PromiseOfAnswer(const absl::StatusOr<Answer>& answer) {
  if (!answer.ok()) PromiseRefusal(answer.status());
}
void PromiseOfAnswer(const absl::Status& answer) {
  if (!answer.ok()) PromiseRefusal(answer);
}

// False for bytes that are no such message: they never reach a check.
template <class Request, class Check>
bool Try(const std::string& bytes, const Check& check) {
  Request request;
  if (!request.ParseFromString(bytes)) return false;
  check(request);
  return true;
}

void TrySpec(const v1::SweepSpec& spec) {
  const auto result = sweepspec::ExpandSpec(spec, {.runs = std::nullopt, .max_runs = kMostRuns});
  for (const v1::Notice& notice : result.notices) {
    Promise(IsText(notice.message()) && IsText(notice.path()), "a notice is text",
            notice.message());
  }
  if (!result.sweep) return PromiseRefusal(sweepspec::ToStatus(result.notices, ""));
  Promise(result.sweep->runs.size() <= kMostRuns, "no sweep is larger than it may be");
}

void TryConfig(const v1::RunConfig& proto) {
  const auto config = sweepspec::FromProto(proto);
  PromiseOfAnswer(config);
  if (!config.ok()) return;
  const auto again = sweepspec::FromProto(sweepspec::ToProto(*config));
  Promise(again.ok() && sweepspec::ConfigHash(*again) == sweepspec::ConfigHash(*config),
          "a configuration is sent and read as it was", sweepspec::CanonicalJson(*config));
}

bool TryCompletion(const std::string& bytes) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  std::vector<v1::CompleteRunRequest> messages;
  for (bool end = false; !end;) {
    v1::CompleteRunRequest message;
    if (google::protobuf::util::ParseDelimitedFromZeroCopyStream(&message, &stream, &end)) {
      messages.push_back(std::move(message));
    } else if (!end) {
      return false;
    }
  }
  const auto completion = coordinator::AssembleCompletion(messages);
  PromiseOfAnswer(completion);
  if (!completion.ok()) return true;
  for (const auto& [name, values] : completion->units) {
    Promise(values.size() == completion->header.unit_count(), "a column has all units", name);
    for (const double value : values) Promise(!std::isinf(value), "a value is finite or none");
  }
  return true;
}

bool TryKind(uint8_t kind, const std::string& bytes) {
  switch (kind) {
    case 'S':
      return Try<v1::SweepSpec>(bytes, TrySpec);
    case 'R':
      return Try<v1::RunConfig>(bytes, TryConfig);
    case 'J': {
      const auto config = sweepspec::FromCanonicalJson(bytes);
      Promise(config.ok() || absl::IsInvalidArgument(config.status()), "no other error");
      return true;
    }
    case 'I':
      return Try<v1::RegisterRequest>(bytes, [](const v1::RegisterRequest& request) {
        PromiseOfAnswer(coordinator::CheckIntroduction(request));
      });
    case 'H':
      return Try<v1::HeartbeatRequest>(bytes, [](const v1::HeartbeatRequest& request) {
        PromiseOfAnswer(coordinator::CheckHeartbeat(request));
      });
    case 'F':
      return Try<v1::FailRunRequest>(bytes, [](const v1::FailRunRequest& request) {
        PromiseOfAnswer(coordinator::CheckFailure(request));
      });
    case 'C':
      return TryCompletion(bytes);
    case 'f':
      return Try<v1::FractionRequest>(bytes, [](const v1::FractionRequest& request) {
        PromiseOfAnswer(analysis::ParseFraction(request));
      });
    case 's':
      return Try<v1::SummarizeRequest>(bytes, [](const v1::SummarizeRequest& request) {
        PromiseOfAnswer(analysis::ParseSummarize(request));
      });
    case 'u':
      return Try<v1::ListUnitsRequest>(bytes, [](const v1::ListUnitsRequest& request) {
        PromiseOfAnswer(analysis::ParseListUnits(request, ""));
      });
    default:
      return false;
  }
}

}  // namespace
}  // namespace gridsweep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return -1;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  return gridsweep::fuzz::TryKind(data[0], bytes) ? 0 : -1;
}
