#include "sweepctl/shortage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep::sweepctl {
namespace {

using ::testing::HasSubstr;

v1::SweepSettings Of(const std::string& resource_class) {
  v1::SweepSettings settings;
  settings.mutable_resources()->set_resource_class(resource_class);
  return settings;
}

class ShortageTest : public ::testing::Test {
 protected:
  v1::Worker* Add(const std::string& name, const std::string& resource_class) {
    v1::Worker* worker = workers_.add_workers();
    worker->set_name(name);
    worker->set_resource_class(resource_class);
    worker->set_live(true);
    worker->set_directive(v1::WORKER_DIRECTIVE_RUN);
    return worker;
  }
  v1::ListWorkersResponse workers_;
};

TEST_F(ShortageTest, IsOfAllWorkersWhereNoneIsLive) {
  EXPECT_THAT(Shortage(Of("any"), workers_), HasSubstr("none is live"));
  Add("gone", "cpu")->set_live(false);
  EXPECT_THAT(Shortage(Of("cpu"), workers_), HasSubstr("none is live"));
}

TEST_F(ShortageTest, IsOfTheClassThatTheSweepAsksFor) {
  Add("a", "cpu");
  Add("b", "cpu");
  Add("c", "gpu")->set_live(false);
  EXPECT_EQ(Shortage(Of("gpu"), workers_), "a worker of class gpu: of 2 live none is");
  for (const char* fits : {"", "any", "cpu"}) EXPECT_EQ(Shortage(Of(fits), workers_), "") << fits;
  Add("d", "gpu");
  EXPECT_EQ(Shortage(Of("gpu"), workers_), "");
}

TEST_F(ShortageTest, IsOfWorkersThatTakeRuns) {
  v1::Worker* a = Add("a", "gpu");
  Add("b", "cpu");
  a->set_directive(v1::WORKER_DIRECTIVE_QUARANTINED);
  EXPECT_THAT(Shortage(Of("gpu"), workers_), HasSubstr("a is cordoned"));
  EXPECT_THAT(Shortage(Of("gpu"), workers_), HasSubstr("workers uncordon a`"));
  EXPECT_EQ(Shortage(Of("any"), workers_), "");
  Add("c", "gpu")->set_directive(v1::WORKER_DIRECTIVE_DRAIN);
  EXPECT_THAT(Shortage(Of("gpu"), workers_), HasSubstr("all 2 that could are cordoned"));
  Add("d", "gpu");
  EXPECT_EQ(Shortage(Of("gpu"), workers_), "");
}

}  // namespace
}  // namespace gridsweep::sweepctl
