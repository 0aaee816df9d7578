// A Gridsweep with one finished run and one lease in force, which takes what
// is malformed, refuses it and stays as it was.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "gridsweep/v1/analysis.grpc.pb.h"
#include "gridsweep/v1/dispatch.grpc.pb.h"
#include "gridsweep/v1/sweep.grpc.pb.h"
#include "tests/end_to_end/instance.h"

namespace gridsweep::testing {

// Started once for all tests of the program; ended by a global environment.
struct Stage {
  std::unique_ptr<Instance> instance;
  std::shared_ptr<grpc::Channel> coordinator, analysis;
  int64_t sweep_id = 0, run_id = 0;  // finished
  // A worker that is this program, and its lease of a run.
  int64_t worker_id = 0;
  std::string incarnation;
  v1::Lease lease;
};
const Stage& TheStage();

// Another lease of that worker, of another run with kHeldUnits units.
v1::Lease LeaseRun();
inline constexpr int kHeldUnits = 4;

// What a call ended with.
struct Answer {
  grpc::Status status;
  std::vector<std::string> messages;  // serialized
};
// Sends `messages` as they are, one after the other, to a method of any kind,
// for example "/gridsweep.v1.SweepService/GetRun".
Answer Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
            const std::vector<std::string>& messages);

class Malformed : public ::testing::Test {
 protected:
  Malformed() { TakeStock(); }

  // What is there now is what must stay.
  void TakeStock() { before_ = Digests(); }

  // The call was refused with `code` and a reason, and changed nothing.
  void ExpectRefused(const std::string& what, grpc::StatusCode code, const grpc::Status& status);
  void ExpectUnchanged(const std::string& what);

  // To a method of DispatchService.
  grpc::Status Send(const std::string& method, const std::vector<std::string>& messages) {
    return Call(stage_.coordinator, "/gridsweep.v1.DispatchService/" + method, messages).status;
  }
  // The lease in force, with a token of nobody's.
  v1::LeaseRef Forged() const;

  const Stage& stage_ = TheStage();

 private:
  // Of each table's rows; left out are times of life signs, and what is noted of a file before its
  // first byte, for the collector to find it.
  std::map<std::string, std::string> Digests();
  pqxx::connection database_{TheStage().instance->database()};
  std::map<std::string, std::string> before_;
};

}  // namespace gridsweep::testing
