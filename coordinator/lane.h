// Lanes: each a bounded queue, a few threads, and a connection a thread. What
// waits in one never holds up another.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/call_memory.h"
#include "common/client_limit.h"
#include "common/client_name.h"
#include "common/executor.h"
#include "common/status.h"
#include "common/strings.h"
#include "coordinator/counters.h"
#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

class Lane {
 public:
  // Whom a limit of calls counts as one client, where no token names it: a connection (those of a
  // unix socket cannot be told apart and have no limit), or all of a machine.
  enum class Nameless { kByConnection, kByMachine };

  // `most_a_client`: calls of one client that may be queued or at work; 0: no limit. Where there is
  // one, a client leaves one thread to others.
  Lane(const std::string& name, int threads, size_t capacity, const Database::Settings& settings,
       int most_a_client = 0, Nameless nameless = Nameless::kByConnection)
      : databases_(MakeDatabases(threads, settings)),
        clients_(most_a_client),
        nameless_(nameless),
        executor_(name, threads, capacity, most_a_client > 0 ? 1 : 0) {}

  // Queues `work` of `client` (see Executor), which must not throw; false at once when the lane is
  // full.
  [[nodiscard]] bool Submit(std::function<void(Database&)> work, const std::string& client = "") {
    return executor_.Submit(
        [this, work = std::move(work)](int thread) { work(*databases_[thread]); }, client);
  }

  ClientLimit& clients() { return clients_; }
  // Callers are known by the names of their tokens. Before the first call; `gate` outlives them
  // all.
  void KnowTokens(const TokenGate* gate) { gate_ = gate; }
  // Who calls, as `clients` counts; "" without a limit.
  std::string ClientOf(const grpc::CallbackServerContext& context) const {
    if (clients_.most() == 0) return "";
    if (gate_ != nullptr || nameless_ == Nameless::kByMachine) return ClientName(gate_, context);
    const std::string peer = context.peer();
    return peer.rfind("unix:", 0) == 0 ? "" : peer;
  }
  // Work that can end early does so from now on.
  void Hurry() { hurried_ = true; }
  bool hurried() const { return hurried_; }
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
  const Nameless nameless_;
  const TokenGate* gate_ = nullptr;
  std::atomic<bool> hurried_ = false;
  Executor executor_;  // last: its threads end first
};

// An eighth of what the lane holds.
inline constexpr int kMostGeneralCallsAClient = 32;
// Each may take kMaxSteps of sweepspec and hundreds of megabytes.
inline constexpr int kMostExpansionsAClient = 4;

struct Lanes {
  Lanes(const std::string& conninfo, Counters& counters)
      : heartbeat("heartbeat", 2, 4096, Hot(conninfo, 10, counters, "heartbeat", /*lazy=*/true)),
        claims("claims", 1, 4096, Hot(conninfo, 10, counters, "claims")),
        dispatch("dispatch", 2, 4096, Hot(conninfo, 10, counters, "dispatch")),
        general("general", 4, 256, {.conninfo = conninfo, .committed = Timed(counters, "general")},
                kMostGeneralCallsAClient),
        expand("expand", 2, 64, {.conninfo = conninfo, .committed = Timed(counters, "general")},
               kMostExpansionsAClient, Lane::Nameless::kByMachine),
        complete("complete", 6, 256, Hot(conninfo, 60, counters, "complete")),
        upload("upload", 2, 1024, Hot(conninfo, 60, counters, "upload")) {}

  Lane heartbeat;  // renewals, and nothing else
  Lane claims;     // one claim after another
  Lane dispatch;   // registrations, failures, releases
  Lane general;    // what users ask
  Lane expand;     // sweeps that are validated or created
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
  std::string client = lane.ClientOf(*context);
  std::shared_ptr<ClientLimit::Place> place;
  if (!client.empty()) {
    place = std::make_shared<ClientLimit::Place>(lane.clients(), client);
    if (!place->taken()) {
      reactor->Finish(ToGrpc(lane.clients().TooMany()));
      return reactor;
    }
  }
  const bool queued = lane.Submit(
      [place, context, reactor, work](Database& database) mutable {
        // The caller may have given up while this waited.
        const grpc::Status status = context->IsCancelled()
                                        ? grpc::Status::CANCELLED
                                        : ToGrpc(WithinMemory([&] { return work(database); }));
        place.reset();  // before the client hears that it may go on
        reactor->Finish(status);
      },
      client);
  if (!queued) reactor->Finish(ToGrpc(lane.Full()));
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
