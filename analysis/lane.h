// A lane of analysis, and what one client may have on it.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "common/byte_budget.h"
#include "common/client_limit.h"
#include "common/client_name.h"
#include "common/executor.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

struct LaneSettings {
  int threads = 1;
  int spared = 0;                                     // that one client leaves to others
  size_t capacity = 128;                              // calls that wait
  int most_a_client = 16;                             // calls of one client in flight
  absl::Duration longest_silence = absl::Minutes(1);  // of a client that sends or reads a stream
  size_t max_question_bytes = size_t{128} << 20;      // of streams from clients, all together
};

struct Lane {
  // `token_gate`, which outlives it, may be null: callers have no names then.
  Lane(const std::string& name, const LaneSettings& limits, const TokenGate* token_gate)
      : settings(limits),
        clients(limits.most_a_client),
        questions(limits.max_question_bytes),
        gate(token_gate),
        executor(name, limits.threads, limits.capacity, limits.spared) {}

  std::string ClientOf(const grpc::ServerContextBase& context) const {
    return ClientName(gate, context);
  }
  // RESOURCE_EXHAUSTED with RetryInfo: what a caller hears that finds no room in the queue.
  absl::Status Full() const {
    return WithRetryAfter(
        absl::ResourceExhaustedError(StrCat("too many calls wait for the lane ", executor.name())),
        absl::Seconds(1));
  }
  absl::Status TooManyBytes() const {
    return WithRetryAfter(
        absl::ResourceExhaustedError(StrCat("questions of ", questions.limit(),
                                            " bytes are on their way already; send it again")),
        absl::Seconds(1));
  }

  const LaneSettings settings;
  ClientLimit clients;
  ByteBudget questions;
  const TokenGate* const gate;
  Executor executor;  // last: its threads end first
};

}  // namespace gridsweep::analysis
