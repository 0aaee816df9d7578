// gridsweep-worker: leases runs from a coordinator, trains and scores them,
// hands in the results.
#include <absl/time/time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "common/log.h"
#include "common/rpc.h"
#include "common/security_flags.h"
#include "common/signals.h"
#include "science/integrator/trainer.h"
#include "worker/worker.h"
#include "worker/worker_name.h"

int main(int argc, char** argv) {
  gridsweep::BlockShutdownSignals();
  gridsweep::InitLogging("gridsweep-worker");

  CLI::App app{"Trains the runs that a coordinator hands out."};
  app.set_version_flag("--version", GRIDSWEEP_VERSION);
  std::string address = "127.0.0.1:7070", device = "auto", idle_timeout, stop_grace = "15s";
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
  app.add_option("--drain-file", options.drain_file,
                 "Once this file exists: finish what is held, take no more, exit with 0")
      ->envname("GRIDSWEEP_DRAIN_FILE");
  gridsweep::ClientSecurity security = gridsweep::ClientSecurityFromEnvironment();
  gridsweep::AddClientSecurityFlags(app, security);
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
  if (options.name.empty()) options.name = gridsweep::worker::ClaimWorkerName();

  gridsweep::integrator::UseOneThreadPerSlot();
  gridsweep::worker::Worker worker(gridsweep::Dial(address, security), options);
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
