#include <set>
#include <thread>

#include "coordinator/store/lifecycle.h"
#include "coordinator/store/runs.h"
#include "science/config/metric_registry.h"
#include "sweepspec/run_config_proto.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

using Migrations = StoreTest;
using Sweeps = StoreTest;

TEST_F(Migrations, ApplyingThemAgainChangesNothing) {
  const auto before = Query("select applied_at from schema_migrations");
  EXPECT_TRUE(Migrate(db_, EmbeddedMigrations()).ok());
  EXPECT_EQ(Query("select applied_at from schema_migrations"), before);
}

TEST(MigrationsFresh, ManyCoordinatorsMayStartAtOnce) {
  const std::string conninfo = testing::CreateDatabase();
  std::vector<absl::Status> results(6);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      Database database({conninfo});
      result = Migrate(database, EmbeddedMigrations());
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_TRUE(result.ok()) << result;
}

TEST_F(Migrations, GiveEachMetricOfTheRegistryItsColumnAndNoOther) {
  for (const auto& [table, level] : {std::pair("units", science::MetricLevel::kUnit),
                                     std::pair("run_results", science::MetricLevel::kRun)}) {
    std::set<std::string> names;
    for (const science::Metric& metric : science::Metrics()) {
      if (metric.level == level) names.emplace(metric.name);
    }
    std::string sorted;
    for (const std::string& name : names) sorted += (sorted.empty() ? "" : ",") + name;
    EXPECT_EQ(Query(StrCat("select string_agg(attname, ',' order by attname collate \"C\") from "
                           "pg_attribute where attrelid = '",
                           table,
                           "'::regclass and attnum > 0 and atttypid = 'float8'::regtype and "
                           "attname <> 'compute_seconds'")),
              sorted);
  }
}

TEST(MigrationsFresh, AResultOfBeforeHasNoneOfTheMetricsThatCameLater) {
  Database database({testing::CreateDatabase()});
  ASSERT_TRUE(Migrate(database, EmbeddedMigrations().first(1)).ok());
  const auto query = [&](const std::string& sql) { return QueryOne(database, sql); };
  query(R"(
    insert into sweeps (name, method, request_hash, source_yaml, first_run_id, run_count)
      values ('old', 'grid', '', '', 1, 2);
    insert into runs select r, 1, r, '', '', '{}', 'DoS', 'DoS', 'RNN', 'relu', 3, 8, '0.12', 0.12,
      0.12, '2', 2, 2, r, 10 from generate_series(1, 2) r;
    insert into run_results (run_id, sweep_id, token, outcome, unit_count, steps, compute_seconds,
      numerics_id, science_version) values (1, 1, gen_random_uuid(), 1, 3, 10, 1, '', 1),
      (2, 1, gen_random_uuid(), 2, 0, 10, 1, '', 1);
    insert into unit_rollups values (1, 'grid_score_60', 3, 2, 0.81, 0.81, 0.81,
      array_fill(0, '{281}') || 1 || array_fill(0, '{120}'))
  )");
  ASSERT_TRUE(Migrate(database, EmbeddedMigrations()).ok());
  EXPECT_EQ(
      query("select string_agg(metric, ',' order by metric) from unit_rollups where run_id = 1"
            " and n = 3 and nulls = 3 and min is null and sum = 0"),
      "border_score,field_count,grid_score_60_circle,grid_score_60_means,"
      "orientation_spread_rad,phase_x,phase_y");
  EXPECT_EQ(query("select count(*) from unit_rollups where cardinality(bins) = 402"), "3");
  EXPECT_EQ(query("select count(*) from unit_rollups where run_id = 2"), "0");
  EXPECT_EQ(query("select chance_score_60_p95 is null from run_results where run_id = 1"), "t");
  EXPECT_EQ(query("select string_agg(units_above || ' of ' || units, ', ' order by threshold) from"
                  " dash.fractions where readout = 'DoS' and chance_fraction is null"),
            "1 of 3, 1 of 3, 1 of 3, 0 of 3, 0 of 3, 0 of 3");
  EXPECT_EQ(query("select units_above is null from run_results where run_id = 2"), "t");
}

TEST(MigrationsFresh, TheLatestAttemptsThatFailedCountAsTheRunsFailures) {
  Database database({testing::CreateDatabase()});
  ASSERT_TRUE(Migrate(database, EmbeddedMigrations().first(2)).ok());
  const auto query = [&](const std::string& sql) { return QueryOne(database, sql); };
  query(R"(
    insert into sweeps (name, method, request_hash, source_yaml, first_run_id, run_count)
      values ('old', 'grid', '', '', 1, 1);
    insert into runs select r, 1, r, '', '', '{}', 'DoS', 'DoS', 'RNN', 'relu', 3, 8, '0.12', 0.12,
      0.12, '2', 2, 2, r, 10 from generate_series(1, 1) r;
    insert into run_state (run_id, sweep_id, queue_pos, attempt, failures) values (1, 1, 1, 5, 2);
    insert into attempts (run_id, attempt, token, worker_id, worker, host, granted_at, outcome)
      select 1, n, gen_random_uuid(), 1, 'w', 'h', now(),
        (array['lost', 'failed', 'lost', 'released', 'lost'])[n] from generate_series(1, 5) n
  )");
  ASSERT_TRUE(Migrate(database, EmbeddedMigrations()).ok());
  EXPECT_EQ(query("select string_agg(attempt::text, ',' order by attempt) from attempts"
                  " where counted"),
            "2,5");
}

TEST_F(Migrations, AChangedMigrationIsRefused) {
  const Migration changed[] = {{1, "0001_initial.sql", "select 1"}};
  EXPECT_TRUE(absl::IsFailedPrecondition(Migrate(db_, changed)));
}

TEST_F(Migrations, ANewerDatabaseIsRefused) {
  Query("insert into schema_migrations values (9999, 'later', '') returning 1");
  EXPECT_TRUE(absl::IsFailedPrecondition(Migrate(db_, EmbeddedMigrations())));
}

TEST_F(Sweeps, ASweepIsStoredWithAllItsRunsPending) {
  const v1::Sweep sweep = Create(SmallSweep(3));
  EXPECT_EQ(sweep.counts().total(), 3);
  EXPECT_EQ(sweep.counts().pending(), 3);
  EXPECT_EQ(sweep.settings().max_attempts(), 3u);
  const auto runs = ListRuns(db_, sweep.sweep_id(), {}, 0, 10);
  ASSERT_TRUE(runs.ok()) << runs.status();
  ASSERT_EQ(runs->size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ((*runs)[i].run_id(), sweep.first_run_id() + i);
    EXPECT_EQ((*runs)[i].ordinal(), i);
    EXPECT_EQ((*runs)[i].config().seed(), i);
    EXPECT_EQ((*runs)[i].config_hash(), ToHex(sweepspec::ConfigHash(SmallSweep(3).runs[i])));
  }
}

TEST_F(Sweeps, ASweepIsReadBackWithItsSettings) {
  sweepspec::ExpandedSweep sweep = SmallSweep(1);
  sweep.settings.set_priority(7);
  sweep.settings.set_max_parallel(2);
  (*sweep.settings.mutable_labels())["purpose"] = "a \"quoted\" word";
  (*sweep.settings.mutable_labels())["lab"] = "east";
  const auto read = GetSweep(db_, Create(sweep).sweep_id());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->settings().priority(), 7);
  EXPECT_EQ(read->settings().max_parallel(), 2u);
  EXPECT_EQ(read->settings().labels().size(), 2u);
  EXPECT_EQ(read->settings().labels().at("purpose"), "a \"quoted\" word");
}

TEST_F(Sweeps, RunIdsOfSweepsCreatedAtOnceAreContiguous) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Database database({conninfo_});
      const auto sweep = SmallSweep(50);
      EXPECT_TRUE(CreateSweep(database, {"s", "", "h", "", &sweep}).ok());
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(Count("select count(*) from sweeps s where s.run_count = (select count(*) from runs r "
                  "where r.sweep_id = s.sweep_id and r.run_id = s.first_run_id + r.ordinal)"),
            4);
}

TEST_F(Sweeps, RunIdsThatAnOlderCoordinatorTookAtTheSameTimeAreLeftToIt) {
  const v1::Sweep first = Create(SmallSweep(3));
  // As if both had read the sequence before either moved it: 0.1.0 does not take our lock.
  Query(StrCat("select setval('run_id_seq', ", first.first_run_id(), ", false)"));
  const v1::Sweep second = Create(SmallSweep(2));
  EXPECT_GE(second.first_run_id(), first.first_run_id() + 3);
  EXPECT_EQ(Count("select count(distinct run_id) from runs"), 5);
}

TEST_F(Sweeps, TheSameRequestIdGivesTheSameSweep) {
  const auto sweep = SmallSweep(2);
  const v1::Sweep first = Create(sweep, "id", "hash");
  const auto again = CreateSweep(db_, {"small", "id", "hash", "text", &sweep});
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->already_existed);
  EXPECT_EQ(again->sweep.sweep_id(), first.sweep_id());
  EXPECT_EQ(Count("select count(*) from runs"), 2);
}

TEST_F(Sweeps, ARequestIdOfAnotherSweepIsRefusedAndNothingStored) {
  const auto sweep = SmallSweep(2);
  Create(sweep, "id", "hash");
  const auto before = RowCounts();
  const auto other = CreateSweep(db_, {"small", "id", "other", "text", &sweep});
  EXPECT_TRUE(absl::IsAlreadyExists(other.status())) << other.status();
  EXPECT_EQ(RowCounts(), before);
}

TEST_F(Sweeps, AnIdThatNoSweepCanHaveIsNotFound) {
  for (const int64_t id : {int64_t{1} << 31, int64_t{1} << 40, INT64_MAX, INT64_MIN}) {
    EXPECT_TRUE(absl::IsNotFound(GetSweep(db_, id).status())) << id;
    EXPECT_TRUE(absl::IsNotFound(CancelSweep(db_, id).status())) << id;
    EXPECT_TRUE(absl::IsNotFound(PauseSweep(db_, id).status())) << id;
    EXPECT_TRUE(absl::IsNotFound(ResumeSweep(db_, id).status())) << id;
    EXPECT_TRUE(absl::IsNotFound(StopSweep(db_, id).status())) << id;
    EXPECT_TRUE(absl::IsNotFound(RetrySweep(db_, id, {State::kFailed}, {}).status())) << id;
    EXPECT_TRUE(absl::IsNotFound(DeleteSweep(db_, id).status())) << id;
    EXPECT_TRUE(absl::IsNotFound(ListRuns(db_, id, {}, 0, 10).status())) << id;
    EXPECT_TRUE(absl::IsNotFound(ReadSnapshot(db_, id).status())) << id;
  }
  const v1::Sweep sweep = Create(SmallSweep(1));
  const auto listed = ListSweeps(db_, INT64_MAX, 10);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->at(0).sweep_id(), sweep.sweep_id());
}

TEST_F(Sweeps, UnitsPartitionsFollowTheRunIds) {
  Query("select setval('run_id_seq', 1048570)");
  const v1::Sweep sweep = Create(SmallSweep(20));
  EXPECT_EQ(sweep.first_run_id(), 1048571);
  EXPECT_EQ(Query("select to_regclass('units_1') is not null"), "t");
  Query("insert into units (run_id, unit) values (1048590, 0) returning 1");
  EXPECT_EQ(Count("select count(*) from units_1"), 1);
}

TEST_F(Sweeps, CancellingEndsWaitingRunsAndMarksLeasedOnes) {
  const v1::Sweep sweep = Create(SmallSweep(5));
  const auto worker = Register("w");
  const auto grants = Claim(worker, 2);
  const auto cancelled = CancelSweep(db_, sweep.sweep_id());
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->waiting, 3);
  EXPECT_EQ(cancelled->leased, 2);
  const auto renewed =
      RenewLeases(db_, worker.id, worker.incarnation, {{grants[0].key, {}}}, absl::Seconds(60));
  ASSERT_TRUE(renewed.ok());
  EXPECT_TRUE(renewed->held[0].cancelling);
  ASSERT_TRUE(ReleaseLeases(db_, {grants[0].key, grants[1].key}, "cancelled").ok());
  EXPECT_EQ(StateOf(grants[0].key.run_id), State::kCancelled);
  EXPECT_EQ(Query("select distinct outcome from attempts"), "cancelled");
  EXPECT_TRUE(Claim(worker, 5).empty());
}

}  // namespace
}  // namespace gridsweep::coordinator
