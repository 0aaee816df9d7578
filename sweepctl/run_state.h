// The states of a run in the words that people use.
#pragma once

#include <optional>
#include <string>

#include "gridsweep/v1/sweep.pb.h"

namespace gridsweep::sweepctl {

// "pending", "backoff", "paused", "running", "succeeded", "diverged", "failed" or "cancelled".
std::string StateText(v1::RunState state);
// The state of that name in any case; "leased" is "running" too.
std::optional<v1::RunState> ParseState(const std::string& text);
// All of them: "pending, backoff, ...".
std::string StateNames();

}  // namespace gridsweep::sweepctl
