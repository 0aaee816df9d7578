// gridsweep-worker: leases runs from a coordinator, trains and scores them,
// hands in the results.
#include <absl/time/time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "common/http_door.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/rpc.h"
#include "common/rpc_metrics.h"
#include "common/security_flags.h"
#include "common/signals.h"
#include "science/integrator/trainer.h"
#include "worker/worker.h"
#include "worker/worker_name.h"

int main(int argc, char** argv) {
  gridsweep::BlockShutdownSignals();
  // gRPC goes on with a connection in the making while a call waits, and otherwise as often as this
  // says; by itself every 5 s, in which leases can end.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "200", /*overwrite=*/0);
  gridsweep::InitLogging("gridsweep-worker");

  CLI::App app{"Trains the runs that a coordinator hands out."};
  app.set_version_flag("--version", "gridsweep-worker " GRIDSWEEP_VERSION);
  std::string address = "127.0.0.1:7070", device = "auto", idle_timeout, stop_grace = "15s", spool;
  uint64_t spool_limit = uint64_t{4} << 30;
  gridsweep::worker::WorkerOptions options;
  options.version = GRIDSWEEP_VERSION;
  options.slots = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  app.add_option("--coordinator", address, "Address of a coordinator: HOST:PORT or unix:PATH")
      ->envname("GRIDSWEEP_ADDRESS")
      ->capture_default_str();
  app.add_option("--name", options.name,
                 "Name, stable across restarts and unique in the fleet (default: the host's)")
      ->envname("GRIDSWEEP_WORKER_NAME");
  app.add_option("--slots", options.slots, "Runs trained side by side, one core each")
      ->envname("GRIDSWEEP_SLOTS")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option(
         "--device", device,
         "Where networks are trained: cpu, cuda:N, or auto: the first CUDA device if there is "
         "one, else cpu")
      ->envname("GRIDSWEEP_DEVICE")
      ->capture_default_str();
  app.add_option("--idle-timeout", idle_timeout,
                 "Exit with 0 after so long without a run, for example 30s or 5m (default: never)")
      ->envname("GRIDSWEEP_IDLE_TIMEOUT");
  app.add_option("--max-runs", options.max_runs, "Exit with 0 after so many runs")
      ->envname("GRIDSWEEP_MAX_RUNS")
      ->check(CLI::PositiveNumber);
  app.add_option("--stop-grace", stop_grace,
                 "What the machine leaves a worker that is told to stop; half of it, at most 8s, "
                 "is for the last checkpoints")
      ->envname("GRIDSWEEP_STOP_GRACE")
      ->capture_default_str();
  app.add_option("--spool", spool,
                 "Where finished results wait while no coordinator takes them, in a folder named "
                 "after the worker; a disk that survives its restart (default: "
                 "$XDG_STATE_HOME/gridsweep/spool, else ~/.local/state/gridsweep/spool)")
      ->envname("GRIDSWEEP_SPOOL");
  app.add_option("--spool-limit", spool_limit,
                 "Bytes that the spool may hold, for example 500MB; what does not fit waits in "
                 "its slot's memory")
      ->envname("GRIDSWEEP_SPOOL_LIMIT")
      ->transform(CLI::AsSizeValue(true))
      ->default_str("4GiB");
  app.add_option("--drain-file", options.drain_file,
                 "Once this file exists: finish what is held, take no more, exit with 0")
      ->envname("GRIDSWEEP_DRAIN_FILE");
  gridsweep::ClientSecurity security = gridsweep::ClientSecurityFromEnvironment();
  gridsweep::AddClientSecurityFlags(app, security);
  gridsweep::HttpSettings http;
  app.add_option("--http", http.address,
                 "HOST:PORT (port 0: any) of GET /metrics, /healthz and /readyz; default: none")
      ->envname("GRIDSWEEP_WORKER_HTTP");
  app.add_flag("--http-beyond-loopback", http.beyond_loopback,
               "Let --http listen beyond this machine: whoever reaches it may read the numbers");
  app.footer("Example:\n  gridsweep-worker --coordinator 127.0.0.1:7070 --slots 2");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!idle_timeout.empty()) {
    absl::Duration duration;
    if (!absl::ParseDuration(idle_timeout, &duration) || duration < absl::ZeroDuration()) {
      std::fprintf(stderr, "--idle-timeout: \"%s\" is no duration; write for example 30s or 5m\n",
                   idle_timeout.c_str());
      return 2;
    }
    options.idle_timeout = duration;
  }
  if (!absl::ParseDuration(stop_grace, &options.stop_grace) ||
      options.stop_grace < absl::Seconds(1)) {
    std::fprintf(stderr, "--stop-grace: \"%s\" is no duration from 1s on; write for example 15s\n",
                 stop_grace.c_str());
    return 2;
  }
  if (const absl::Status status = gridsweep::integrator::UseDevice(device); !status.ok()) {
    std::fprintf(stderr, "--device: %s\n", std::string(status.message()).c_str());
    return 2;
  }
  if (const absl::Status status = gridsweep::CheckSecurity(address, security); !status.ok()) {
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    return 2;
  }
  auto reader = gridsweep::hdf5::Reader::Start();
  if (!reader.ok()) {
    std::fprintf(stderr, "%s\n", std::string(reader.status().message()).c_str());
    return 1;
  }
  options.reader = *std::move(reader);
  if (options.name.empty()) options.name = gridsweep::worker::ClaimWorkerName();

  const auto directory = gridsweep::worker::SpoolDirectory(spool, options.name);
  absl::Status spooling = directory.status();
  if (directory.ok()) {
    auto opened = gridsweep::worker::Spool::Open(*directory, spool_limit);
    spooling = opened.status();
    if (opened.ok()) options.spool = *std::move(opened);
  }
  if (!spooling.ok() && !spool.empty()) {
    std::fprintf(stderr, "--spool: %s\n", std::string(spooling.message()).c_str());
    return 2;
  }
  if (!spooling.ok()) {
    spdlog::warn("no spool, so finished results wait in memory for a coordinator: {}",
                 spooling.ToString());
  }

  gridsweep::integrator::UseOneThreadPerSlot();
  gridsweep::SetLogWorker(options.name);

  gridsweep::Metrics metrics("worker", GRIDSWEEP_VERSION);
  gridsweep::RpcMetrics calls(metrics);
  prometheus::Counter& steps =
      metrics.Counter("gridsweep_train_steps_total", "Gradient steps trained.");
  prometheus::Histogram& step_seconds = metrics.Histogram(
      "gridsweep_train_step_seconds", "Seconds of a gradient step.", gridsweep::SecondsBuckets());
  options.on_step = [&](double seconds) {
    steps.Increment();
    step_seconds.Observe(seconds);
  };
  prometheus::Gauge& waiting = metrics.Gauge(
      "gridsweep_spool_waiting", "Results and checkpoints on disk that no coordinator has taken.");
  options.delivery.waiting = [&](size_t files) { waiting.Set(static_cast<double>(files)); };
  options.delivery.failed = [&](const absl::Status& status) {
    metrics
        .Counter("gridsweep_delivery_failures_total",
                 "Attempts to hand in a result or a checkpoint that failed, and were not judged.",
                 {{"code", absl::StatusCodeToString(status.code())}})
        .Increment();
  };
  // Files and results have a connection of their own, that no heartbeat waits behind them.
  gridsweep::worker::Worker worker(gridsweep::Dial(address, security, &calls),
                                   gridsweep::Dial(address, security, &calls), options);
  const auto door = gridsweep::HttpDoor::Start(http, metrics, [&worker] { return worker.Ready(); });
  if (!door.ok()) {
    spdlog::error("{}", std::string(door.status().message()));
    return 1;
  }
  if (*door != nullptr) spdlog::info("metrics on http://{}/metrics", (*door)->address());
  worker.Start();
  const int signal = gridsweep::WaitForShutdown([&] { return worker.Done(); });
  if (signal == 0) {
    spdlog::info("nothing left to do");
  } else {
    spdlog::info("signal {}: giving back what is in training", signal);
  }
  // A slot that is deep in a long step cannot be joined in time; its run is released.
  if (!worker.Stop()) std::_Exit(0);
  return worker.Refused() ? 1 : 0;
}
