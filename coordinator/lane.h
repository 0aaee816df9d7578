// Lanes: each a bounded queue, a few threads, and a connection a thread. What
// waits in one never holds up another.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/client_limit.h"
#include "common/executor.h"
#include "common/status.h"
#include "common/strings.h"
#include "coordinator/counters.h"
#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

class Lane {
 public:
  // `most_a_client`: calls of one client that may be queued or at work; 0: no limit.
  Lane(const std::string& name, int threads, size_t capacity, const Database::Settings& settings,
       int most_a_client = 0)
      : databases_(MakeDatabases(threads, settings)),
        clients_(most_a_client),
        executor_(name, threads, capacity) {}

  // Queues `work`, which must not throw; false at once when the lane is full.
  [[nodiscard]] bool Submit(std::function<void(Database&)> work) {
    return executor_.Submit(
        [this, work = std::move(work)](int thread) { work(*databases_[thread]); });
  }

  ClientLimit& clients() { return clients_; }
  // RESOURCE_EXHAUSTED with RetryInfo: what a client hears that is not let in.
  absl::Status TooMany() const {
    return WithRetryAfter(
        absl::ResourceExhaustedError(
            StrCat("this client has ", clients_.most(), " calls in flight; wait for some of them")),
        absl::Seconds(1));
  }
  // RESOURCE_EXHAUSTED with RetryInfo: what a caller hears when Submit answers false.
  absl::Status Full() const {
    return WithRetryAfter(
        absl::ResourceExhaustedError("the coordinator's " + executor_.name() + " lane is full"),
        absl::Seconds(1));
  }

 private:
  static std::vector<std::unique_ptr<Database>> MakeDatabases(int n,
                                                              const Database::Settings& settings) {
    std::vector<std::unique_ptr<Database>> databases;
    for (int i = 0; i < n; ++i) databases.push_back(std::make_unique<Database>(settings));
    return databases;
  }

  std::vector<std::unique_ptr<Database>> databases_;
  ClientLimit clients_;
  Executor executor_;  // last: its threads end first
};

// An eighth of what the lane holds.
inline constexpr int kMostGeneralCallsAClient = 32;

struct Lanes {
  Lanes(const std::string& conninfo, Counters& counters)
      : heartbeat("heartbeat", 2, 4096, Hot(conninfo, 10, counters, "heartbeat", /*lazy=*/true)),
        claims("claims", 1, 4096, Hot(conninfo, 10, counters, "claims")),
        dispatch("dispatch", 2, 4096, Hot(conninfo, 10, counters, "dispatch")),
        general("general", 4, 256, {.conninfo = conninfo, .committed = Timed(counters, "general")},
                kMostGeneralCallsAClient),
        complete("complete", 6, 256, Hot(conninfo, 60, counters, "complete")),
        upload("upload", 2, 1024, Hot(conninfo, 60, counters, "upload")) {}

  Lane heartbeat;  // renewals, and nothing else
  Lane claims;     // one claim after another
  Lane dispatch;   // registrations, failures, releases
  Lane general;    // what users ask
  Lane complete;   // results; several, so that their commits share a flush
  Lane upload;     // artifact files

 private:
  // What looks up the rows of single runs and workers. Statements may take `seconds`.
  static Database::Settings Hot(const std::string& conninfo, int seconds, Counters& counters,
                                const char* lane, bool lazy = false) {
    return {conninfo, absl::Seconds(seconds), lazy, /*by_index=*/true, Timed(counters, lane)};
  }
  static std::function<void(absl::Duration)> Timed(Counters& counters, const char* lane) {
    prometheus::Histogram* seconds = &counters.CommitSeconds(lane);
    return [seconds](absl::Duration took) { seconds->Observe(absl::ToDoubleSeconds(took)); };
  }
};

// Does a unary call's work in `lane` and finishes it there. `work` fills the
// response; request and response live until then.
template <typename Work>
grpc::ServerUnaryReactor* AnswerIn(Lane& lane, grpc::CallbackServerContext* context, Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // A connection; clients of a unix socket cannot be told apart.
  const std::string client = context->peer();
  ClientLimit* const limit = client.rfind("unix:", 0) == 0 ? nullptr : &lane.clients();
  if (limit != nullptr && !limit->Enter(client)) {
    reactor->Finish(ToGrpc(lane.TooMany()));
    return reactor;
  }
  const bool queued = lane.Submit([limit, client, context, reactor, work](Database& database) {
    // The caller may have given up while this waited.
    const grpc::Status status =
        context->IsCancelled() ? grpc::Status::CANCELLED : ToGrpc(work(database));
    if (limit != nullptr) limit->Leave(client);
    reactor->Finish(status);
  });
  if (!queued) {
    if (limit != nullptr) limit->Leave(client);
    reactor->Finish(ToGrpc(lane.Full()));
  }
  return reactor;
}

// A call that is refused without any work.
inline grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context,
                                        const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

}  // namespace gridsweep::coordinator
