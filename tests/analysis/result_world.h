// A database with sweeps, runs, units and result files, written by the test's
// own SQL and HDF5 calls, and a server that answers from them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "analysis/service.h"
#include "common/rpc.h"
#include "gridsweep/v1/analysis.grpc.pb.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::analysis {

using Values = std::vector<std::optional<double>>;

// One run as a test wants it; everything that the tables repeat follows from it.
struct RunSpec {
  std::string readout = "DoS";
  std::string family = "DoS";
  std::string rnn_type = "RNN";
  std::string activation = "relu";
  std::string place_cell_rf = "0.12";
  double learning_rate = 1e-4;
  bool is_periodic = false;
  int n_epochs = 2;
  int64_t seed = 0;
  std::string state = "succeeded";
  double pos_err = 5;
  std::optional<double> participation_ratio_ratemaps = std::nullopt;
  Values scores;  // grid_score_60 of its units; other metrics follow from them
};

struct StoredRun {
  int64_t run_id = 0, sweep_id = 0;
  RunSpec spec;
  std::map<std::string, Values> units;                   // by metric
  std::map<std::string, std::optional<double>> metrics;  // of the run
};

class ResultWorld {
 public:
  // `files`: also write result files.
  explicit ResultWorld(bool files = false);
  ~ResultWorld();

  // A complete, sound sweep of these runs; its id.
  int64_t AddSweep(const std::vector<RunSpec>& runs, const std::string& method = "grid");
  const std::vector<StoredRun>& runs() const { return runs_; }

  // Plants something.
  void Execute(const std::string& sql);
  std::string Ask(const std::string& sql);
  std::filesystem::path FileOf(int64_t run_id);
  const std::string& database() const { return database_; }
  const std::filesystem::path& artifacts() const { return artifacts_; }

  v1::AnalysisService::Stub& stub() { return *stub_; }
  grpc::Status Fraction(const v1::FractionRequest& request, v1::FractionResponse& response);
  // Lines of VerifySweep; the call must succeed.
  std::vector<v1::VerifySweepResponse> Verify(int64_t sweep_id);

 private:
  void AddRun(int64_t sweep_id, int64_t run_id, int ordinal, const RunSpec& spec);

  const bool files_;
  const std::string database_;
  const testing::TemporaryDirectory directory_;
  const std::filesystem::path& artifacts_ = directory_.path();
  std::unique_ptr<pqxx::connection> connection_;
  std::vector<StoredRun> runs_;
  int64_t next_run_id_ = 1;
  std::unique_ptr<AnalysisServiceImpl> service_;
  std::unique_ptr<RpcServer> server_;
  std::unique_ptr<v1::AnalysisService::Stub> stub_;
};

// The ratemap value that the world stores for a bin of a unit.
float StoredRate(int64_t run_id, int unit, int i, int j);

}  // namespace gridsweep::analysis
