#include "analysis/verify/verify_job.h"

#include "analysis/queries/verify_queries.h"
#include "analysis/verify/file_checks.h"
#include "analysis/verify/findings.h"
#include "analysis/verify/run_checks.h"
#include "analysis/verify/sweep_checks.h"

namespace gridsweep::analysis {
namespace {

constexpr int kRunsAPiece = 16;

class VerifyJob : public StreamJob<v1::VerifySweepResponse> {
 public:
  VerifyJob(Database& database, std::filesystem::path artifacts, const ResultFiles& files,
            int64_t sweep_id)
      : database_(database),
        artifacts_(std::move(artifacts)),
        files_(files),
        sweep_id_(sweep_id) {}

  absl::StatusOr<bool> Step(int thread, std::vector<v1::VerifySweepResponse>& out) override {
    std::vector<RunFacts> runs;
    RETURN_IF_ERROR(database_.Read(thread, [&](Snapshot& snapshot) -> absl::Status {
      if (!begun_) {
        ASSIGN_OR_RETURN(sweep_, ReadSweepFacts(snapshot, sweep_id_));
        metrics_ = ReadMetricColumns(snapshot);
        begun_ = true;
      }
      runs = ReadRunFacts(snapshot, sweep_id_, last_run_id_, kRunsAPiece, metrics_);
      return absl::OkStatus();
    }));
    for (const RunFacts& run : runs) {
      CheckRun(run, metrics_.of_units, findings_);
      CheckFile(run, artifacts_, files_, metrics_.of_units, findings_);
      identities_.push_back({run.run_id, run.ordinal, run.config_hash});
      last_run_id_ = run.run_id;
    }
    const bool more = static_cast<int>(runs.size()) == kRunsAPiece;
    if (!more) CheckSweep(sweep_, std::move(identities_), findings_);
    for (auto& line : findings_.Take()) out.push_back(std::move(line));
    if (!more) {
      for (auto& line : findings_.Summary()) out.push_back(std::move(line));
    }
    return more;
  }

 private:
  Database& database_;
  const std::filesystem::path artifacts_;
  const ResultFiles& files_;
  const int64_t sweep_id_;
  bool begun_ = false;
  SweepFacts sweep_;
  MetricColumns metrics_;
  int64_t last_run_id_ = -1;
  std::vector<RunIdentity> identities_;
  Findings findings_;
};

}  // namespace

std::unique_ptr<StreamJob<v1::VerifySweepResponse>> MakeVerifyJob(Database& database,
                                                                  std::filesystem::path artifacts,
                                                                  const ResultFiles& files,
                                                                  int64_t sweep_id) {
  return std::make_unique<VerifyJob>(database, std::move(artifacts), files, sweep_id);
}

}  // namespace gridsweep::analysis
