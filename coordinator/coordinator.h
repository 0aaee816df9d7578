// A coordinator: services over a store, started and stopped as one.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string>

#include "common/artifact_store.h"
#include "common/http_door.h"
#include "common/metrics.h"
#include "common/patient_probe.h"
#include "common/readiness.h"
#include "common/rpc.h"
#include "common/rpc_metrics.h"
#include "coordinator/admin_service.h"
#include "coordinator/background.h"
#include "coordinator/counters.h"
#include "coordinator/dispatch_service.h"
#include "coordinator/lane.h"
#include "coordinator/log_hub.h"
#include "coordinator/matcher.h"
#include "coordinator/notifier.h"
#include "coordinator/progress_board.h"
#include "coordinator/sweep_service.h"
#include "coordinator/watch_hub.h"
#include "hdf5/reader.h"

namespace gridsweep::coordinator {

struct Options {
  std::string listen = "127.0.0.1:7070";
  std::string database;   // libpq's URL or keywords; "" = the PG* environment
  std::string artifacts;  // directory
  // Checks what workers hand in. Without one, which is for tests, files are taken as they come.
  std::shared_ptr<hdf5::Reader> reader;
  ServerSecurity security;
  DispatchSettings dispatch;
  absl::Duration tick = absl::Seconds(1);  // of upkeep
  absl::Duration poll = absl::Seconds(1);  // of waiting workers, without word of claimable runs
  HttpSettings http;                       // for monitoring
  std::string version = "unknown";
  absl::Duration count_every = absl::Minutes(1);  // runs by state, for the gauges
  // A file that nothing names, and an upload that broke off, is removed after this.
  absl::Duration artifact_grace = absl::Hours(1);
  Readiness::Settings readiness;
  PatientProbe::Settings disk;  // of writes to the artifact directory, for readiness
  Notifier::Settings notices;
  SubmitterRules submitters;
};

// Brings the schema up to date and makes a token that may do everything, for
// the first to come: the secret. Errors as CreateToken's.
absl::StatusOr<std::string> CreateAdminToken(const std::string& database, const std::string& name);

class Coordinator {
 public:
  // Brings the schema up to date, opens the artifact directory (makes it where
  // it is empty or absent), serves. Errors say what to mend.
  static absl::StatusOr<std::unique_ptr<Coordinator>> Start(const Options& options);
  ~Coordinator();

  const std::string& address() const { return server_->address(); }
  // Where monitoring asks; "" without a door for it.
  std::string http_address() const { return door_ == nullptr ? "" : door_->address(); }

  // Health says NOT_SERVING (readiness 503); waiting workers are answered empty, streams end
  // with UNAVAILABLE; calls in flight get up to `grace`. Once.
  void Drain(absl::Duration grace);

 private:
  explicit Coordinator(const Options& options);

  Metrics metrics_;
  Counters counters_;
  RpcMetrics calls_;
  RefusedCalls refused_;
  std::unique_ptr<ArtifactStore> artifacts_;
  std::unique_ptr<PatientProbe> disk_;
  const std::shared_ptr<hdf5::Reader> reader_;
  ProgressBoard board_;
  std::unique_ptr<Lanes> lanes_;  // ended first by Drain: their work uses all below
  Matcher matcher_;
  WatchHub hub_;
  LogHub logs_;
  std::unique_ptr<Background> background_;
  std::shared_ptr<TokenGate> gate_;  // null where no tokens are asked for
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<SweepService> sweeps_;
  std::unique_ptr<DispatchService> dispatch_;
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<RpcServer> server_;
  std::unique_ptr<Readiness> readiness_;  // its thread tells the server
  std::unique_ptr<HttpDoor> door_;
};

}  // namespace gridsweep::coordinator
