// What a sweep file comes to: shown by validate and by submit --dry-run.
#pragma once

#include <string>
#include <vector>

#include "gridsweep/v1/sweep.pb.h"
#include "science/config/run_config.h"
#include "sweepctl/session.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepctl {

// Training speed of one core, for estimates: what each of two runs reaches on
// two Zen 4 cores.
inline constexpr double kAssumedGflops = 60;

// "49 s", "12 min", "3.4 h", "12 days", "1,234 years": how long training takes.
std::string CostText(double seconds);

// The answer that ValidateSweep would give, made without a server.
v1::ValidateSweepResponse Summarize(const sweepspec::ExpandResult& result);

// `answer` for people. `runs` are the runs known here, all or the first few.
std::string SummaryText(const Console& console, const std::string& file,
                        const v1::ValidateSweepResponse& answer,
                        const std::vector<science::RunConfig>& runs, double gflops);

// The published names of the parameters in which `runs` differ.
std::vector<std::string> DifferingParameters(const std::vector<science::RunConfig>& runs);
// A parameter of `config` as text.
std::string ParameterText(const science::RunConfig& config, const std::string& parameter);

}  // namespace gridsweep::sweepctl
