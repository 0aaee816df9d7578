// Rows that are gone stay in their tables while anybody's snapshot is held.
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

class DeadRows : public StoreTest {
 protected:
  // Blocks of these tables, and of their indexes, that sessions which have ended looked at.
  int64_t BlocksLookedAt(const std::string& tables) {
    while (Count("select count(*) from pg_stat_activity where datname = current_database() and "
                 "backend_type = 'client backend' and pid <> pg_backend_pid() and state <> "
                 "'idle in transaction'") > 0) {
      absl::SleepFor(absl::Milliseconds(10));
    }
    return Count(
        StrCat("select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read) from "
               "pg_statio_all_tables where relname in (",
               tables, ")"));
  }

  // `body`, while another session holds a snapshot.
  template <typename Body>
  void Holding(Body body) {
    Database holder({conninfo_});
    EXPECT_TRUE(holder
                    .Transact([&](Transaction& t) {
                      t.ExecText("set transaction isolation level repeatable read");
                      t.ExecText("select count(*) from leases");
                      body();
                      return absl::OkStatus();
                    })
                    .ok());
  }

  // A session of its own, as a coordinator's.
  template <typename Body>
  void InASession(Body body) {
    Database session({.conninfo = conninfo_, .by_index = true});
    body(session);
  }
};

TEST_F(DeadRows, OfFormerLeasesAndFailuresAreNotLookedAt) {
  Create(SmallSweep(64));
  const auto former = Register("w");
  Holding([&] {
    InASession([&](Database& db) {
      QueryOne(db, "set session_replication_role = replica");  // they are of no run
      QueryOne(db, StrCat("insert into leases select 1000000 + i, 1, 0, gen_random_uuid(), 1, ",
                          former.id,
                          ", '\\x00', decode(md5(i::text), 'hex'), clock_timestamp() - "
                          "interval '1 hour', clock_timestamp() from generate_series(1, 40000) i"));
      QueryOne(db,
               "insert into worker_failures (worker_id, run_id, attempt, occasion, crashed) "
               "select 1000 + i, 1, i, gen_random_uuid(), false from "
               "generate_series(1, 40000) i");
      QueryOne(db, "delete from leases");
      QueryOne(db, "delete from worker_failures");
      // At a moment when there are none, which makes plans think that there never are any.
      QueryOne(db, "analyze leases, worker_failures");
    });
    ASSERT_EQ(Count("select reltuples from pg_class where relname = 'leases'"), 0);
    const int64_t pages = Count("select pg_relation_size('worker_failures') / 8192");
    ASSERT_GT(pages, 300);
    const auto worker = Register("w");
    ClaimMemory memory;
    memory.count_took = absl::Hours(1);
    const std::string tables = "'leases', 'worker_failures'";
    const int64_t before = BlocksLookedAt(tables);
    InASession([&](Database& db) {
      for (int i = 0; i < 8; ++i) {    // more than it takes for plans to be kept
        memory.counted = absl::Now();  // for the shares of sweeps; reads all, now and then
        const auto claimed = ClaimRuns(db, {{worker.id, worker.incarnation, RandomBytes(16), 4}},
                                       absl::Seconds(60), memory);
        ASSERT_TRUE(claimed.ok()) << claimed.status();
        const std::vector<Grant>& grants = (*claimed)[0].grants;
        ASSERT_EQ(grants.size(), 4u);
        v1::CurvePoint point;
        point.set_step(1);
        EXPECT_EQ(RenewLeases(db, worker.id, worker.incarnation, {{grants[0].key, {point}}},
                              absl::Hours(1))
                      ->held.size(),
                  4u);
        EXPECT_EQ(ReleaseLeases(db, {grants[0].key, grants[1].key}, "")->size(), 2u);
        EXPECT_TRUE(FailLease(db, grants[2].key, "", "", {absl::ZeroDuration(), 0}).ok());
        const Completion result = ResultOf(grants[3].key);
        EXPECT_TRUE(CompleteRun(db, result).ok());
      }
      EXPECT_EQ(QueryOne(db, "select sum(custom_plans) from pg_prepared_statements"), "0")
          << "planned anew at each execution";
    });
    EXPECT_LT(BlocksLookedAt(tables) - before, 4 * pages);
  });
}

TEST_F(DeadRows, OfFormerRunsAreNotLookedAtForWordOfARun) {
  const int64_t sweep = Create(SmallSweep(2)).sweep_id();
  const auto worker = Register("w");
  Holding([&] {
    InASession([&](Database& db) {
      QueryOne(db, "set session_replication_role = replica");  // they are no runs
      QueryOne(db,
               StrCat("insert into run_state (run_id, sweep_id, queue_pos) select 1000000 + i, ",
                      sweep, ", nextval('queue_pos_seq') from generate_series(1, 40000) i"));
      QueryOne(db, "update run_state set state = 4 where run_id > 1000000");
      QueryOne(db, "update run_state set state = 2 where state = 0");
      // At a moment when none waits.
      QueryOne(db, "analyze run_state");
      QueryOne(db,
               "update run_state set state = 0, queue_pos = nextval('queue_pos_seq') "
               "where state = 2");
    });
    const int64_t pages = Count("select pg_relation_size('run_state') / 8192");
    ASSERT_GT(pages, 300);
    ClaimMemory memory;
    std::optional<LeaseKey> held;
    const auto claim = [&](Database& db, const ClaimReason& reason) {
      const auto claimed = ClaimRuns(db, {{worker.id, worker.incarnation, RandomBytes(16), 4}},
                                     absl::Seconds(60), memory, reason);
      ASSERT_TRUE(claimed.ok()) << claimed.status();
      ASSERT_FALSE((*claimed)[0].grants.empty());
      held = (*claimed)[0].grants[0].key;
    };
    InASession([&](Database& db) { claim(db, {}); });  // looks at everything
    const int64_t before = BlocksLookedAt("'run_state'");
    InASession([&](Database& db) {
      for (int i = 0; i < 8; ++i) {
        ASSERT_EQ(ReleaseLeases(db, {*held}, "")->size(), 1u);
        claim(db, {.work = {.sweeps = {sweep}}});
      }
    });
    EXPECT_LT(BlocksLookedAt("'run_state'") - before, pages);
  });
}

}  // namespace
}  // namespace gridsweep::coordinator
