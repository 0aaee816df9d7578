#include <atomic>
#include <set>
#include <thread>

#include "coordinator/progress_board.h"
#include "coordinator/store/artifact_uploads.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

using Claims = StoreTest;
using LeaseTable = StoreTest;

constexpr absl::Duration kNow = absl::ZeroDuration();
constexpr FailurePolicy kAtOnce{kNow, 0};

TEST_F(Claims, RunsComeInTheOrderOfTheQueue) {
  const v1::Sweep sweep = Create(SmallSweep(4));
  const auto worker = Register("w");
  const auto first = Claim(worker, 2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].key.run_id, sweep.first_run_id());
  EXPECT_EQ(first[1].key.run_id, sweep.first_run_id() + 1);
  EXPECT_EQ(first[0].attempt, 1);
  // What is given back goes behind what has waited.
  ASSERT_TRUE(ReleaseLeases(db_, {first[0].key}, "").ok());
  const auto rest = Claim(worker, 3);
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(rest[2].key.run_id, sweep.first_run_id());
  EXPECT_EQ(rest[2].attempt, 2);
}

TEST_F(Claims, TheSameRequestGetsTheSameGrant) {
  Create(SmallSweep(4));
  const auto worker = Register("w");
  const Demand demand{worker.id, worker.incarnation, RandomBytes(16), 2};
  const auto first = ClaimRuns(db_, {demand}, absl::Seconds(60));
  const auto again = ClaimRuns(db_, {demand}, absl::Seconds(60));
  ASSERT_TRUE(first.ok() && again.ok());
  ASSERT_EQ((*again)[0].grants.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ((*first)[0].grants[i].key.token, (*again)[0].grants[i].key.token);
  }
  EXPECT_EQ(Count("select count(*) from leases"), 2);
}

TEST_F(Claims, PriorityThenFewestLeasedThenAgeDecides) {
  auto low = SmallSweep(10), high = SmallSweep(2);
  high.settings.set_priority(1);
  const auto a = Create(low).sweep_id(), b = Create(low).sweep_id(), c = Create(high).sweep_id();
  const auto worker = Register("w");
  std::map<int64_t, int> taken;
  for (const Grant& grant : Claim(worker, 8)) ++taken[grant.sweep_id];
  EXPECT_EQ(taken[c], 2);  // all of the urgent one
  EXPECT_EQ(taken[a], 3);
  EXPECT_EQ(taken[b], 3);
  EXPECT_EQ(Claim(worker, 1)[0].sweep_id, a);  // equal: the older one
  EXPECT_EQ(Claim(worker, 1)[0].sweep_id, b);  // fewer leased
}

TEST_F(Claims, WaitingWorkersTakeTurns) {
  Create(SmallSweep(4));
  const auto one = Register("one"), two = Register("two");
  const auto claimed = ClaimRuns(db_,
                                 {{one.id, one.incarnation, RandomBytes(16), 64},
                                  {two.id, two.incarnation, RandomBytes(16), 64}},
                                 absl::Seconds(60));
  ASSERT_TRUE(claimed.ok());
  EXPECT_EQ((*claimed)[0].grants.size(), 2u);
  EXPECT_EQ((*claimed)[1].grants.size(), 2u);
}

TEST_F(Claims, EightClaimersNeverGetTheSameRunNorExceedMaxParallel) {
  auto limited = SmallSweep(60);
  limited.settings.set_max_parallel(7);
  const auto limited_id = Create(limited).sweep_id();
  Create(SmallSweep(200));
  std::atomic<bool> exceeded = false, done = false;
  std::thread watcher([&] {
    Database database({conninfo_});
    while (!done) {
      const auto n = database.Transact([&](Transaction& t) -> absl::StatusOr<int> {
        return t.ExecText(StrCat("select count(*) from leases where sweep_id = ", limited_id))[0][0]
            .as<int>();
      });
      if (n.ok() && *n > 7) exceeded = true;
    }
  });
  std::vector<std::vector<Grant>> grants(8);
  std::vector<TestWorker> workers;
  for (int i = 0; i < 8; ++i) workers.push_back(Register(StrCat("w", i)));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Database database({conninfo_});
      for (int round = 0; round < 20; ++round) {
        auto claimed =
            ClaimRuns(database, {{workers[i].id, workers[i].incarnation, RandomBytes(16), 3}},
                      absl::Seconds(60));
        ASSERT_TRUE(claimed.ok()) << claimed.status();
        for (Grant& grant : (*claimed)[0].grants) grants[i].push_back(std::move(grant));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  done = true;
  watcher.join();
  EXPECT_FALSE(exceeded);
  std::set<int64_t> runs;
  size_t total = 0;
  for (const auto& mine : grants) {
    total += mine.size();
    for (const Grant& grant : mine) runs.insert(grant.key.run_id);
  }
  EXPECT_EQ(runs.size(), total);
  EXPECT_EQ(total, 207u);
}

TEST_F(Claims, AReplacedIncarnationGetsNothing) {
  Create(SmallSweep(4));
  const auto old = Register("w");
  Register("w");
  const auto claimed =
      ClaimRuns(db_, {{old.id, old.incarnation, RandomBytes(16), 1}}, absl::Seconds(60));
  ASSERT_TRUE(claimed.ok());
  EXPECT_FALSE((*claimed)[0].registered);
  EXPECT_TRUE((*claimed)[0].grants.empty());
}

TEST_F(LeaseTable, WhatAnEarlierProcessHasSpooledGoesOverToTheNext) {
  Create(SmallSweep(3));
  const auto first = Register("w");
  const auto grants = Claim(first, 3);
  ASSERT_EQ(grants.size(), 3u);
  Register("other");
  v1::RegisterRequest request;
  request.set_name("w");
  request.set_host("here");
  request.set_incarnation(RandomBytes(16));
  request.set_slots(4);
  for (const Grant* grant : {&grants[0], &grants[1]}) {
    auto& ref = *request.add_kept();
    ref.set_run_id(grant->key.run_id);
    ref.set_token(grant->key.token);
  }
  request.mutable_kept(1)->set_token(RandomBytes(16));  // names no lease
  const auto registered = RegisterWorker(db_, request, kAtOnce);
  ASSERT_TRUE(registered.ok()) << registered.status();
  ASSERT_EQ(registered->ended.size(), 2u);
  EXPECT_EQ(Count("select count(*) from leases"), 1);
  // Its heartbeats keep it, and its result counts.
  for (int i = 0; i < 2; ++i) {
    const auto renewed = RenewLeases(db_, registered->worker_id, request.incarnation(),
                                     {{grants[0].key, {}}}, absl::Seconds(60));
    ASSERT_TRUE(renewed.ok()) << renewed.status();
    ASSERT_EQ(renewed->held.size(), 1u);
    EXPECT_EQ(renewed->held[0].key.token, grants[0].key.token);
    // So a third process may keep what the first has left.
    request.set_incarnation(RandomBytes(16));
    ASSERT_TRUE(RegisterWorker(db_, request, kAtOnce).ok());
  }
  // Nobody takes another's.
  request.set_name("other");
  ASSERT_TRUE(RegisterWorker(db_, request, kAtOnce).ok());
  EXPECT_EQ(Count(StrCat("select count(*) from leases where worker_id = ", first.id)), 1);
  EXPECT_TRUE(CompleteRun(db_, ResultOf(grants[0].key)).ok());
  EXPECT_EQ(Query("select outcome from attempts where run_id = " +
                  std::to_string(grants[0].key.run_id)),
            "succeeded");
}

TEST_F(LeaseTable, ExpiredLeaseCannotCompleteItsRun) {
  Create(SmallSweep(1));
  const auto grant = Claim(Register("w"), 1, kNow)[0];
  const Completion result = ResultOf(grant.key);
  const auto upkeep = DoUpkeep(db_, true, kNow, kAtOnce);
  ASSERT_TRUE(upkeep.ok());
  ASSERT_EQ(upkeep->expired.size(), 1u);
  EXPECT_EQ(upkeep->expired[0].state, State::kPending);
  EXPECT_EQ(Query("select outcome from attempts"), "lost");
  EXPECT_EQ(Count("select failures from run_state"), 0);
  const auto before = RowCounts();
  EXPECT_TRUE(IsLost(CompleteRun(db_, result).status()));
  EXPECT_EQ(RowCounts(), before);
}

TEST_F(LeaseTable, NothingExpiresBeforeTheServerHasBeenUpForALeaseTime) {
  Create(SmallSweep(1));
  Claim(Register("w"), 1, kNow);
  const auto upkeep = DoUpkeep(db_, true, absl::Hours(10), kAtOnce);
  ASSERT_TRUE(upkeep.ok());
  EXPECT_TRUE(upkeep->expired.empty());
  EXPECT_EQ(Count("select count(*) from leases"), 1);
}

TEST_F(LeaseTable, BeingLostFiveTimesInARowIsAFailure) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  for (int i = 1; i <= 5; ++i) {
    ASSERT_EQ(Claim(worker, 1, kNow).size(), 1u);
    ASSERT_TRUE(DoUpkeep(db_, true, kNow, {absl::Hours(1)}).ok());
    EXPECT_EQ(Count("select failures from run_state"), i == 5 ? 1 : 0) << i;
  }
}

TEST_F(LeaseTable, FailuresCountAndAttemptsCountApart) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  for (int i = 0; i < 4; ++i) {  // being released costs nothing, ever
    ASSERT_TRUE(ReleaseLeases(db_, {Claim(worker, 1)[0].key}, "preempted").ok());
  }
  for (int failure = 1; failure <= 3; ++failure) {
    const auto grant = Claim(worker, 1)[0];
    EXPECT_EQ(grant.attempt, 4 + failure);
    const auto failed = FailLease(db_, grant.key, "out of memory", "tail", kAtOnce);
    ASSERT_TRUE(failed.ok());
    EXPECT_EQ(failed->state, failure < 3 ? State::kBackoff : State::kFailed);
    // The repeat of a call whose answer was lost.
    EXPECT_EQ(FailLease(db_, grant.key, "out of memory", "tail", kAtOnce)->state, failed->state);
    ASSERT_TRUE(DoUpkeep(db_, false, kNow, kAtOnce).ok());
  }
  EXPECT_EQ(Count("select count(*) from attempts where outcome = 'failed'"), 3);
}

TEST_F(LeaseTable, AFailedRunWaitsOutItsPause) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  ASSERT_TRUE(FailLease(db_, Claim(worker, 1)[0].key, "", "", {absl::Hours(1)}).ok());
  EXPECT_EQ(DoUpkeep(db_, false, kNow, kAtOnce)->due, 0);
  EXPECT_TRUE(Claim(worker, 1).empty());
  Query("update run_state set not_before = now() returning 1");
  EXPECT_EQ(DoUpkeep(db_, false, kNow, kAtOnce)->due, 1);
  EXPECT_EQ(Claim(worker, 1).size(), 1u);
}

TEST_F(LeaseTable, ANewProcessOnTheSameHostCountsAFailureOnAnotherNone) {
  Create(SmallSweep(2));
  auto worker = Register("w", "host-a");
  Claim(worker, 1);
  worker = Register("w", "host-a");
  EXPECT_EQ(Count("select max(failures) from run_state"), 1);
  EXPECT_EQ(Query("select outcome from attempts"), "lost");
  Claim(worker, 1);
  worker = Register("w", "host-b");
  EXPECT_EQ(Count("select sum(failures) from run_state"), 1);
  EXPECT_EQ(Count("select count(*) from attempts where outcome = 'lost'"), 2);
  EXPECT_EQ(Count("select count(*) from leases"), 0);
}

TEST_F(LeaseTable, RegisteringTheSameProcessAgainKeepsItsLeases) {
  Create(SmallSweep(1));
  v1::RegisterRequest request;
  request.set_name("w");
  request.set_host("h");
  request.set_incarnation(RandomBytes(16));
  request.set_slots(1);
  const auto id = RegisterWorker(db_, request, kAtOnce)->worker_id;
  Claim({id, request.incarnation()}, 1);
  EXPECT_EQ(RegisterWorker(db_, request, kAtOnce)->worker_id, id);
  EXPECT_EQ(Count("select count(*) from leases"), 1);
}

TEST_F(LeaseTable, ARenewalWithAnotherTokenRenewsNothing) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  const auto grant = Claim(worker, 1)[0];
  const auto expires = Query("select expires_at from leases");
  v1::CurvePoint point;
  point.set_step(1);
  const LeaseKey forged{grant.key.run_id, RandomBytes(16)};
  ASSERT_TRUE(
      RenewLeases(db_, worker.id, worker.incarnation, {{forged, {point}}}, absl::Hours(1)).ok());
  EXPECT_EQ(Query("select expires_at from leases"), expires);
  EXPECT_EQ(Count("select count(*) from learning_curves"), 0);
  ASSERT_TRUE(
      RenewLeases(db_, worker.id, worker.incarnation, {{grant.key, {point}}}, absl::Hours(1)).ok());
  EXPECT_NE(Query("select expires_at from leases"), expires);
  EXPECT_EQ(Count("select count(*) from learning_curves"), 1);
}

// What dead rows do to the table while a snapshot is held is measured in bench/dispatch.
TEST_F(LeaseTable, ARenewalRightAfterAnotherWritesNothing) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  const auto grant = Claim(worker, 1)[0];
  const auto renew = [&](bool full) {
    ASSERT_TRUE(RenewLeases(db_, worker.id, worker.incarnation, {{grant.key, {}}}, absl::Hours(1),
                            full)
                    .ok());
  };
  const std::string versions =
      "select concat_ws(' ', l.xmin, w.xmin, s.xmin) from leases l "
      "join workers w using (worker_id) join worker_sightings s using (worker_id)";
  const std::string seen =
      "select count(*) from worker_sightings where seen_at > clock_timestamp() - "
      "interval '1 minute'";
  Query("update worker_sightings set seen_at = seen_at - interval '7 minutes'");
  const auto granted = Query(versions);
  renew(/*full=*/false);
  const auto renewed = Query(versions);
  EXPECT_NE(renewed, granted);
  renew(/*full=*/false);
  EXPECT_EQ(Query(versions), renewed);
  EXPECT_EQ(Count(seen), 0);
  const auto worker_row = Query("select xmin from workers");
  renew(/*full=*/true);
  EXPECT_EQ(Query("select xmin from workers"), worker_row);
  EXPECT_EQ(Count(seen), 1);
}

TEST_F(LeaseTable, ARenewalTellsOfReportedLeasesAloneWhereThatIsAskedFor) {
  Create(SmallSweep(3));
  const auto worker = Register("w"), other = Register("v");
  const auto grants = Claim(worker, 2);
  const auto foreign = Claim(other, 1)[0];
  const LeaseKey forged{grants[1].key.run_id, RandomBytes(16)};
  const auto held = [&](bool full) {
    return RenewLeases(db_, worker.id, worker.incarnation,
                       {{grants[0].key, {}}, {forged, {}}, {foreign.key, {}}}, absl::Hours(1),
                       full)
        ->held;
  };
  EXPECT_EQ(held(/*full=*/true).size(), 2);
  ASSERT_EQ(held(/*full=*/false).size(), 1);
  EXPECT_EQ(held(/*full=*/false)[0].key.token, grants[0].key.token);
}

TEST_F(LeaseTable, AProcessThatRegistersAgainIsToldOfItsLeasesStill) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  const auto grant = Claim(worker, 1)[0];
  v1::RegisterRequest again;
  again.set_name("w");
  again.set_host("here");
  again.set_incarnation(worker.incarnation);
  again.set_slots(4);
  ASSERT_TRUE(RegisterWorker(db_, again, kAtOnce)->ended.empty());
  const auto renewed = RenewLeases(db_, worker.id, worker.incarnation, {}, absl::Hours(1));
  ASSERT_EQ(renewed->held.size(), 1u);
  EXPECT_EQ(renewed->held[0].key.token, grant.key.token);
}

TEST_F(LeaseTable, EveryWriteOfAWorkerIsFenced) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  const auto old = Claim(worker, 1)[0];
  ASSERT_TRUE(ReleaseLeases(db_, {old.key}, "").ok());
  const auto current = Claim(worker, 1)[0];
  ASSERT_EQ(old.key.run_id, current.key.run_id);
  const Completion late = ResultOf(old.key);
  const auto before = RowCounts();
  const auto row = Query("select t::text from run_state t");
  EXPECT_TRUE(IsLost(CompleteRun(db_, late).status()));
  EXPECT_TRUE(IsLost(FailLease(db_, old.key, "", "", kAtOnce).status()));
  EXPECT_TRUE(IsLost(RecordArtifact(db_, old.key, std::string(32, 'a'), 1, "result")));
  EXPECT_TRUE(IsLost(AnnounceArtifact(db_, old.key, std::string(32, 'a'), "result").status()));
  EXPECT_TRUE(IsLost(CheckLease(db_, old.key)));
  EXPECT_TRUE(ReleaseLeases(db_, {old.key}, "")->empty());
  EXPECT_EQ(RowCounts(), before);
  EXPECT_EQ(Query("select t::text from run_state t"), row);
  EXPECT_TRUE(CheckLease(db_, current.key).ok());
}

TEST(LeftOutTest, IsLookedForOnceAPause) {
  LeftOut left_out;
  const absl::Time now = absl::Now();
  const absl::Duration pause = absl::Seconds(7);
  EXPECT_TRUE(left_out.Due(1, now, pause));
  EXPECT_TRUE(left_out.Due(2, now + absl::Seconds(3), pause));
  EXPECT_FALSE(left_out.Due(1, now + absl::Seconds(6), pause));
  EXPECT_TRUE(left_out.Due(1, now + absl::Seconds(7), pause));
  EXPECT_FALSE(left_out.Due(1, now + absl::Seconds(13), pause));
  // The machine's clock was set back.
  EXPECT_TRUE(left_out.Due(1, now - absl::Hours(1), pause));
}

TEST(LeftOutTest, TwoSuccessiveHeartbeatsAreNeeded) {
  LeftOut left_out;
  EXPECT_TRUE(left_out.Observe(1, {"a", "b"}, {"a"}).empty());
  EXPECT_TRUE(left_out.Observe(1, {"a", "b"}, {"a", "b"}).empty());
  EXPECT_TRUE(left_out.Observe(1, {"a", "b"}, {"a"}).empty());
  EXPECT_TRUE(left_out.Observe(2, {"b"}, {}).empty());
  EXPECT_EQ(left_out.Observe(1, {"a", "b"}, {"a"}), std::vector<std::string>{"b"});
}

// A heartbeat with points of the curve is on its way while the run's end is being stored: what it
// brings must not come after.
TEST_F(LeaseTable, PointsOfACurveWaitForTheEndOfTheirLease) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  const LeaseKey key = Claim(worker, 1)[0].key;  // new: no renewal is written for it
  Renewal renewal{key, {}};
  renewal.points.emplace_back().set_step(7);
  std::thread heartbeat;
  const absl::Status ended = db_.Transact([&](Transaction& t) {
    t.ExecText("delete from leases");
    heartbeat = std::thread([&] {
      Database database({conninfo_});
      EXPECT_TRUE(
          RenewLeases(database, worker.id, worker.incarnation, {renewal}, absl::Seconds(60)).ok());
    });
    Database watcher({conninfo_});
    const absl::Time deadline = absl::Now() + absl::Seconds(5);
    while (QueryOne(watcher,
                    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and "
                    "datname = current_database()") == "0" &&
           absl::Now() < deadline) {
    }
    return absl::OkStatus();
  });
  ASSERT_TRUE(ended.ok()) << ended;
  heartbeat.join();
  EXPECT_EQ(Count("select count(*) from learning_curves"), 0);
}

TEST_F(LeaseTable, ACoordinatorThatFallsSilentCostsNoLeaseAtOnce) {
  Create(SmallSweep(1));
  Claim(Register("w"), 1);
  const std::string lost = RandomBytes(16);
  ASSERT_TRUE(MarkAlive(db_, lost, absl::Milliseconds(100)).ok());
  const auto silent_for = [&](int ms) {
    Query(StrCat("update coordinators set alive_at = clock_timestamp() - interval '", ms,
                 " ms' returning 1"));
    Query("update leases set expires_at = clock_timestamp() - interval '1 ms' returning 1");
    return ExpireLeases(db_, absl::Milliseconds(500), {}, nullptr, absl::InfiniteFuture(), 10)
        .value()
        .size();
  };
  EXPECT_EQ(silent_for(600), 0u) << "its workers look for another";
  EXPECT_EQ(silent_for(1100), 1u) << "they had two lease times";
}

TEST_F(LeaseTable, ACoordinatorThatEndsInOrderHoldsUpNothing) {
  Create(SmallSweep(1));
  Claim(Register("w"), 1, absl::Milliseconds(1));
  const std::string id = RandomBytes(16);
  ASSERT_TRUE(MarkAlive(db_, id, absl::Milliseconds(1)).ok());
  ASSERT_TRUE(MarkEnded(db_, id).ok());
  EXPECT_EQ(Count("select count(*) from coordinators"), 0);
  EXPECT_EQ(ExpireLeases(db_, absl::Milliseconds(500), {}, nullptr, absl::InfiniteFuture(), 10)
                .value()
                .size(),
            1u);
}

TEST_F(LeaseTable, NoLeaseExpiresByAClockThatTheGuardHasNotSeen) {
  Create(SmallSweep(3));
  Claim(Register("w"), 3);
  // As if the clock had jumped past all leases between the look at it and this.
  Query("update leases set expires_at = clock_timestamp() - interval '1 ms' returning 1");
  const absl::Time now = DatabaseTime(db_).value();
  const auto expire = [&](absl::Time until, int limit) {
    return ExpireLeases(db_, absl::ZeroDuration(), {}, nullptr, until, limit).value().size();
  };
  EXPECT_EQ(expire(now - absl::Hours(1), 10), 0u);
  EXPECT_EQ(expire(now + absl::Seconds(1), 2), 2u);
  EXPECT_EQ(expire(absl::InfiniteFuture(), 2), 1u);
}

}  // namespace
}  // namespace gridsweep::coordinator
