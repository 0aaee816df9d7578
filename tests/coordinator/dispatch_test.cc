// Claims with a memory, resource classes, memory of workers, and like runs together.
#include <set>

#include "db/libpqxx.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kTtl = absl::Seconds(60);

class Dispatch : public StoreTest {
 protected:
  TestWorker RegisterOf(const std::string& name, const std::string& resource_class) {
    v1::RegisterRequest request;
    request.set_name(name);
    request.set_host("here");
    request.set_incarnation(RandomBytes(16));
    request.set_slots(4);
    request.set_resource_class(resource_class);
    const auto registered = RegisterWorker(db_, request, {});
    EXPECT_TRUE(registered.ok()) << registered.status();
    return {registered.ok() ? registered->worker_id : 0, request.incarnation()};
  }

  static Demand Asking(const TestWorker& worker, int runs) {
    return {worker.id, worker.incarnation, RandomBytes(16), runs};
  }

  std::vector<Grant> Remembering(const Demand& demand,
                                 const ClaimReason& reason = {NewWork(), false}) {
    auto claimed = ClaimRuns(db_, {demand}, kTtl, memory_, reason);
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return claimed.ok() ? (*claimed)[0].grants : std::vector<Grant>();
  }

  ClaimMemory memory_;
};

TEST_F(Dispatch, ClaimsThatRememberHandOutTheWholeQueueInOrder) {
  const v1::Sweep sweep = Create(SmallSweep(30));
  const auto worker = Register("w");
  for (int i = 0; i < 10; ++i) {
    const auto grants = Remembering(Asking(worker, 3));
    ASSERT_EQ(grants.size(), 3u) << i;
    for (int j = 0; j < 3; ++j) {
      EXPECT_EQ(grants[j].key.run_id, sweep.first_run_id() + 3 * i + j);
    }
  }
  EXPECT_TRUE(Remembering(Asking(worker, 1)).empty());
}

TEST_F(Dispatch, WordOfWorkIsEnoughToFindANewSweepAndAReleasedRun) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  const auto first = Remembering(Asking(worker, 1));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_TRUE(Remembering(Asking(worker, 1)).empty());
  ASSERT_TRUE(ReleaseLeases(db_, {first[0].key}, "").ok());
  EXPECT_EQ(Remembering(Asking(worker, 1), {{.anywhere = true}, false}).size(), 1u);
  Create(SmallSweep(1));
  EXPECT_EQ(Remembering(Asking(worker, 1), {{.anywhere = true}, false}).size(), 1u);
}

TEST_F(Dispatch, WordOfWorkInASweepLooksIntoThatOneAlone) {
  const auto worker = Register("w");
  std::map<int64_t, LeaseKey> leased;
  for (int i = 0; i < 2; ++i) {
    const int64_t sweep_id = Create(SmallSweep(1)).sweep_id();
    const auto grants = Remembering(Asking(worker, 1), {{.anywhere = true}, false});
    ASSERT_EQ(grants.size(), 1u);
    EXPECT_EQ(grants[0].sweep_id, sweep_id);
    leased[sweep_id] = grants[0].key;
  }
  EXPECT_TRUE(Remembering(Asking(worker, 1)).empty());
  for (const auto& [sweep_id, key] : leased) {
    const auto released = ReleaseLeases(db_, {key}, "");
    ASSERT_TRUE(released.ok());
    EXPECT_EQ(WorkOf(*released).sweeps, std::set{sweep_id});
  }
  for (const auto& [sweep_id, key] : leased) {
    const auto grants = Remembering(Asking(worker, 2), {{.sweeps = {sweep_id}}, false});
    ASSERT_EQ(grants.size(), 1u);
    EXPECT_EQ(grants[0].sweep_id, sweep_id);
  }
  // Committed after a newer one had been seen.
  const int64_t late = Create(SmallSweep(1)).sweep_id();
  memory_.newest_sweep = late;
  EXPECT_TRUE(Remembering(Asking(worker, 1), {{.sweeps = {late - 1}}, false}).empty());
  EXPECT_EQ(Remembering(Asking(worker, 1), {{.sweeps = {late}}, false}).size(), 1u);
}

TEST_F(Dispatch, CoordinatorsTellEachOtherWhereThereIsWork) {
  std::vector<std::string> heard;
  struct Receiver : db::NotificationReceiver {
    Receiver(pqxx::connection& connection, std::vector<std::string>& heard)
        : NotificationReceiver(connection, kWorkChannel), heard(heard) {}
    void operator()(const std::string& payload, int) override { heard.push_back(payload); }
    std::vector<std::string>& heard;
  };
  pqxx::connection connection(conninfo_);
  Receiver receiver(connection, heard);
  NewWork many;
  for (int i = 1; i <= 2000; ++i) many.sweeps.insert(1'000'000 + i);
  for (const NewWork& work :
       {NewWork{.sweeps = {7, 12}}, NewWork{.anywhere = true, .sweeps = {7}}, many}) {
    ASSERT_TRUE(NotifyWork(db_, work).ok());
  }
  while (heard.size() < 3) ASSERT_GT(connection.await_notification(10, 0), 0);
  EXPECT_EQ(FromPayload(heard[0]).sweeps, (std::set<int64_t>{7, 12}));
  EXPECT_FALSE(FromPayload(heard[0]).anywhere);
  EXPECT_TRUE(FromPayload(heard[1]).anywhere);
  EXPECT_TRUE(FromPayload(heard[2]).anywhere);  // too many to name
}

TEST_F(Dispatch, ARunThatAppearsBelowTheFloorIsFoundByTheRescan) {
  const v1::Sweep sweep = Create(SmallSweep(6));
  const auto worker = Register("w");
  // A position from before all others, committed late.
  Query(StrCat("update run_state set state = 2 where run_id = ", sweep.first_run_id()));
  ASSERT_EQ(Remembering(Asking(worker, 2)).size(), 2u);
  ASSERT_EQ(Remembering(Asking(worker, 2)).size(), 2u);
  Query(StrCat("update run_state set state = 0 where run_id = ", sweep.first_run_id()));
  EXPECT_EQ(Remembering(Asking(worker, 1))[0].key.run_id, sweep.first_run_id() + 5);
  memory_.floor = QueueFloor({absl::ZeroDuration(), absl::ZeroDuration()});
  const auto late = Remembering(Asking(worker, 1));
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].key.run_id, sweep.first_run_id());
}

TEST_F(Dispatch, ALimitIsSeenAgainOnceALeaseEnds) {
  auto sweep = SmallSweep(3);
  sweep.settings.set_max_parallel(1);
  Create(sweep);
  const auto worker = Register("w");
  const auto first = Remembering(Asking(worker, 3));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_TRUE(Remembering(Asking(worker, 3)).empty());
  ASSERT_TRUE(CompleteRun(db_, ResultOf(first[0].key)).ok());
  EXPECT_EQ(Remembering(Asking(worker, 3), {NewWork(), true}).size(), 1u);
}

TEST_F(Dispatch, KnownWorkersAreLookedUpBeforeTheyGetAnything) {
  Create(SmallSweep(4));
  const auto gone = Register("gone"), cordoned = Register("cordoned"), good = Register("good");
  Register("gone");
  Query("update workers set directive = 2 where name = 'cordoned'");
  std::vector<Demand> demands = {Asking(gone, 1), Asking(cordoned, 1), Asking(good, 1)};
  for (Demand& demand : demands) {
    demand.known = true;
    demand.resource_class = kCpuClass;
  }
  const auto claimed = ClaimRuns(db_, demands, kTtl, memory_);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  EXPECT_FALSE((*claimed)[0].registered);
  EXPECT_EQ((*claimed)[1].directive, v1::WORKER_DIRECTIVE_DRAIN);
  EXPECT_TRUE((*claimed)[0].grants.empty() && (*claimed)[1].grants.empty());
  EXPECT_EQ((*claimed)[2].grants.size(), 1u);
  EXPECT_EQ(Count("select count(*) from leases"), 1);
  EXPECT_EQ(Count("select count(*) from run_state where state = 3"), 1);
}

TEST_F(Dispatch, RunsGoToWorkersOfTheirClass) {
  auto gpu = SmallSweep(2), cpu = SmallSweep(2);
  gpu.settings.mutable_resources()->set_resource_class("gpu");
  cpu.settings.mutable_resources()->set_resource_class("cpu");
  const auto gpu_id = Create(gpu).sweep_id(), cpu_id = Create(cpu).sweep_id(),
             any_id = Create(SmallSweep(2)).sweep_id();
  const auto with = RegisterOf("with", "gpu"), without = RegisterOf("without", "cpu");
  std::multiset<int64_t> taken;
  for (const Grant& grant : Claim(without, 3)) taken.insert(grant.sweep_id);
  EXPECT_EQ(taken, (std::multiset<int64_t>{cpu_id, cpu_id, any_id}));
  taken.clear();
  for (const Grant& grant : Claim(with, 8)) taken.insert(grant.sweep_id);
  EXPECT_EQ(taken, (std::multiset<int64_t>{gpu_id, gpu_id, any_id}));
}

TEST_F(Dispatch, AWorkerGetsNoMoreThanItsFreeMemoryHolds) {
  auto large = SmallSweep(4);
  large.settings.mutable_resources()->set_memory_bytes(1000);
  Create(large);
  const auto worker = Register("w");
  Demand demand = Asking(worker, 4);
  demand.free_memory = 999;
  EXPECT_TRUE(Remembering(demand).empty());
  demand = Asking(worker, 4);
  demand.free_memory = 2999;
  EXPECT_EQ(Remembering(demand, {{.anywhere = true}, true}).size(), 2u);
  EXPECT_EQ(Remembering(Asking(worker, 4)).size(), 2u);  // one that does not say
}

// Two shapes by turns: even runs have 5 units, odd ones 6.
sweepspec::ExpandedSweep TwoShapes(int runs) {
  auto sweep = SmallSweep(runs);
  for (int i = 1; i < runs; i += 2) sweep.runs[i].Ng = kUnits + 1;
  return sweep;
}

TEST_F(Dispatch, OneDemandGetsLikeRunsTogether) {
  const v1::Sweep sweep = Create(TwoShapes(12));
  const auto worker = Register("w");
  const auto first = Claim(worker, 4);
  ASSERT_EQ(first.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(first[i].key.run_id, sweep.first_run_id() + 2 * i);
}

TEST_F(Dispatch, AWorkerGetsMoreOfTheShapeItHadButPassesOverNoRunForLong) {
  const v1::Sweep sweep = Create(TwoShapes(200));
  const auto worker = Register("w");
  const auto second = Claim(worker, 1)[0].shape_key;
  Demand demand = Asking(worker, 1);
  // The first odd run would be next; even ones are preferred as long as they are near it.
  int passed = 0;
  for (;; ++passed) {
    demand.request_id = RandomBytes(16);
    demand.prefer_shape_key = second;
    const auto grants = Remembering(demand);
    ASSERT_EQ(grants.size(), 1u);
    if (grants[0].key.run_id == sweep.first_run_id() + 1) break;
    ASSERT_EQ(grants[0].shape_key, second);
  }
  EXPECT_EQ(passed, 32);  // the even ones within the 64 places from run 1 on
}

}  // namespace
}  // namespace gridsweep::coordinator
