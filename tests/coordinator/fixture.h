// A migrated database of its own for each test, and short names for what tests do.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "coordinator/store/claims.h"
#include "coordinator/store/leases.h"
#include "coordinator/store/migrations.h"
#include "coordinator/store/results.h"
#include "coordinator/store/sweeps.h"
#include "science/config/parameters.h"
#include "sweepspec/sweep_file.h"
#include "tests/support/postgres.h"

namespace gridsweep::coordinator {

inline constexpr int kUnits = 5;  // Ng of the tests' networks

inline sweepspec::ExpandedSweep SmallSweep(int runs) {
  sweepspec::ExpandedSweep sweep;
  sweep.name = "small";
  sweep.method = "grid";
  for (int i = 0; i < runs; ++i) {
    science::RunConfig config;
    config.Ng = kUnits;
    config.Np = 8;
    config.seed = i;
    sweep.runs.push_back(config);
  }
  return sweep;
}

// One value of one row; "" without any.
inline std::string QueryOne(Database& database, const std::string& sql) {
  const auto value = database.Transact([&](Transaction& t) -> absl::StatusOr<std::string> {
    const auto rows = t.ExecText(sql);
    return std::string(rows.empty() ? "" : rows[0][0].c_str());
  });
  EXPECT_TRUE(value.ok()) << sql << ": " << value.status();
  return value.ok() ? *value : "";
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : conninfo_(testing::CreateDatabase()), db_({conninfo_}) {
    EXPECT_TRUE(Migrate(db_, EmbeddedMigrations()).ok());
  }

  std::string Query(const std::string& sql) { return QueryOne(db_, sql); }
  int64_t Count(const std::string& sql) { return std::stoll(Query(sql)); }

  // Row counts of all tables, to see that a refusal stored nothing.
  std::map<std::string, int64_t> RowCounts() {
    std::map<std::string, int64_t> counts;
    for (const char* table :
         {"sweeps", "runs", "run_state", "leases", "attempts", "artifacts", "run_results", "units",
          "unit_rollups", "learning_curves", "workers"}) {
      counts[table] = Count(std::string("select count(*) from ") + table);
    }
    return counts;
  }

  v1::Sweep Create(const sweepspec::ExpandedSweep& sweep, const std::string& request_id = "",
                   const std::string& hash = "h") {
    const auto created = CreateSweep(db_, {sweep.name, request_id, hash, "text", &sweep});
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? created->sweep : v1::Sweep();
  }

  struct TestWorker {
    int64_t id = 0;
    std::string incarnation;
  };
  TestWorker Register(const std::string& name, const std::string& host = "here") {
    v1::RegisterRequest request;
    request.set_name(name);
    request.set_host(host);
    request.set_incarnation(RandomBytes(16));
    request.set_slots(4);
    const auto registered = RegisterWorker(db_, request, {absl::ZeroDuration()});
    EXPECT_TRUE(registered.ok()) << registered.status();
    return {registered.ok() ? registered->worker_id : 0, request.incarnation()};
  }

  std::vector<Grant> Claim(const TestWorker& worker, int runs,
                           absl::Duration ttl = absl::Seconds(60)) {
    auto claimed = ClaimRuns(db_, {{worker.id, worker.incarnation, RandomBytes(16), runs}}, ttl);
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return claimed.ok() ? (*claimed)[0].grants : std::vector<Grant>();
  }

  // A complete, well-formed result with its artifact recorded.
  Completion ResultOf(const LeaseKey& key) {
    const std::string sha = Sha256::Of(StrCat("artifact of ", key.run_id));
    const absl::Status recorded = RecordArtifact(db_, key, sha, 10, "result");
    EXPECT_TRUE(recorded.ok() || IsLost(recorded)) << recorded;
    Completion completion;
    auto& header = completion.header;
    header.mutable_ref()->set_run_id(key.run_id);
    header.mutable_ref()->set_token(key.token);
    header.set_outcome(v1::OUTCOME_SUCCEEDED);
    header.set_unit_count(kUnits);
    header.set_steps(static_cast<uint64_t>(science::RunConfig().TotalSteps()));
    header.set_numerics_id("test");
    header.set_science_version(1);
    (*header.mutable_run_metrics())["loss"] = 0.5;
    (*header.mutable_run_metrics())["decoding_error_cm"] = 12.25;
    header.add_artifacts()->set_sha256(sha);
    auto* point = header.add_learning_curve();
    point->set_step(100);
    point->set_loss(0.5);
    completion.units["grid_score_60"] = {0.8, 0.800000001, -2.5, 2.5, std::nan("")};
    completion.units["period_bins"] = {1, 2, 3, 4, 5};
    return completion;
  }

  static bool IsLost(const absl::Status& status) {
    return absl::IsFailedPrecondition(status) && Reason(status) == "LEASE_LOST";
  }
  State StateOf(int64_t run_id) {
    return static_cast<State>(Count(StrCat("select state from run_state where run_id = ", run_id)));
  }

  std::string conninfo_;
  Database db_;
};

}  // namespace gridsweep::coordinator
