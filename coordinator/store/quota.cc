#include "coordinator/store/quota.h"

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

constexpr Statement kCountSweeps{"count_sweeps_of_token", R"(
  select count(*), coalesce(sum(run_count), 0)::bigint from sweeps
  where submitted_by = $1 and deleted_at is null)"};
// A file that several runs name is stored once, and counted once.
constexpr Statement kSumBytes{"sum_bytes_of_token", R"(
  with s as (select sweep_id, octet_length(source_yaml) as bytes from sweeps
             where submitted_by = $1 and deleted_at is null)
  select (coalesce((select sum(bytes) from s), 0) +
          coalesce((select sum(size) from artifacts where sha256 in (
                      select artifact from run_results join s using (sweep_id))), 0))::bigint)"};

absl::Status Beyond(const std::string& name, int64_t would, const char* what, int64_t most,
                    const char* flag) {
  return WithReason(
      absl::ResourceExhaustedError(StrCat("the token \"", name, "\" would have ", WithCommas(would),
                                          " ", what, "; at most ", WithCommas(most),
                                          " (the coordinators' ", flag,
                                          "): delete sweeps that are no longer needed")),
      "QUOTA");
}

}  // namespace

absl::Status CheckQuota(Transaction& t, const Quota& quota, const std::string& token_name,
                        int64_t runs, int64_t bytes) {
  if (quota.sweeps > 0 || quota.runs > 0) {
    const pqxx::row row = t.Exec(kCountSweeps, {token_name})[0];
    const int64_t all_sweeps = row[0].as<int64_t>() + 1, all_runs = row[1].as<int64_t>() + runs;
    if (quota.sweeps > 0 && all_sweeps > quota.sweeps) {
      return Beyond(token_name, all_sweeps, "sweeps", quota.sweeps, "--quota-sweeps");
    }
    if (quota.runs > 0 && all_runs > quota.runs) {
      return Beyond(token_name, all_runs, "runs", quota.runs, "--quota-runs");
    }
  }
  if (quota.bytes > 0) {
    const int64_t all = t.Exec(kSumBytes, {token_name})[0][0].as<int64_t>() + bytes;
    if (all > quota.bytes) {
      return Beyond(token_name, all, "bytes", quota.bytes, "--quota-bytes");
    }
  }
  return absl::OkStatus();
}

}  // namespace gridsweep::coordinator
