#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "common/file_limit.h"
#include "common/log.h"
#include "common/security_flags.h"
#include "common/signals.h"
#include "coordinator/coordinator.h"

namespace {

// "60s", "1m30s", "500ms".
bool ParseDuration(const std::string& text, absl::Duration& duration) {
  return absl::ParseDuration(text, &duration) && duration > absl::ZeroDuration();
}

// The exit code.
int Fail(const absl::Status& status) {
  spdlog::error("{}", std::string(status.message()));
  return absl::IsUnavailable(status) ? 75 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  gridsweep::BlockShutdownSignals();
  gridsweep::RaiseFileLimit();
  gridsweep::InitLogging("coordinator");

  gridsweep::coordinator::Options options;
  options.version = GRIDSWEEP_VERSION;
  const char* url = std::getenv("DATABASE_URL");
  options.database = url == nullptr ? "" : url;
  std::string lease_ttl = "60s", heartbeat_interval = "15s", backoff_base = "5s",
              checkpoint_interval = "5m", stuck_after = "5m", artifact_grace = "1h", admin_token;

  CLI::App app("Stores sweeps in PostgreSQL and hands their runs to workers.");
  app.set_version_flag("--version", "gridsweep-coordinator " GRIDSWEEP_VERSION);
  app.add_option("--listen", options.listen, "host:port (port 0: any) or unix:PATH")
      ->capture_default_str();
  app.add_option("--database", options.database,
                 "PostgreSQL URL or keywords; default: $DATABASE_URL, else the PG* variables");
  app.add_option("--artifacts", options.artifacts, "directory of result files; required");
  app.add_option("--artifact-grace", artifact_grace,
                 "a file that nothing names, or an upload that broke off, is removed after this")
      ->capture_default_str();
  gridsweep::AddServerSecurityFlags(app, options.security);
  app.add_option("--create-admin-token", admin_token,
                 "make a token of this name that may do everything, print it, and exit");
  app.add_option("--lease-ttl", lease_ttl, "a lease without heartbeat ends after this")
      ->capture_default_str();
  app.add_option("--heartbeat-interval", heartbeat_interval, "what workers are told to keep")
      ->capture_default_str();
  app.add_option("--backoff-base", backoff_base, "pause after a first failure; doubles each time")
      ->capture_default_str();
  app.add_option("--checkpoint-interval", checkpoint_interval,
                 "workers save checkpoints no oftener, where the sweep does not say")
      ->capture_default_str();
  app.add_option("--quarantine-after", options.dispatch.failures.quarantine_after,
                 "different runs that a worker fails in a row before it gets no more; 0: never")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--stuck-after", stuck_after,
                 "a run that does not advance for so long is cancelled as a failure; 0: never")
      ->capture_default_str();
  app.add_option("--stuck-medians", options.dispatch.stuck.medians,
                 "and for so many times what a step of its phase takes")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--shared-sweeps", options.submitters.shared_sweeps,
               "let every submitter pause, resume, stop, cancel, retry and delete what others "
               "submitted; default: only the token's own, and admins all");
  const auto quota = [&app](const char* flag, int64_t& most, const char* what) {
    app.add_option(flag, most, what)->check(CLI::NonNegativeNumber)->capture_default_str();
  };
  quota("--quota-sweeps", options.submitters.quota.sweeps,
        "sweeps that one token name may have until it deletes some; 0: no limit");
  quota("--quota-runs", options.submitters.quota.runs,
        "runs of these sweeps together; 0: no limit");
  quota("--quota-bytes", options.submitters.quota.bytes,
        "bytes of their files and results, past which nothing new is taken; 0: no limit");
  app.add_option("--http", options.http.address,
                 "HOST:PORT (port 0: any) of GET /metrics, /healthz and /readyz; default: none");
  app.add_flag("--http-beyond-loopback", options.http.beyond_loopback,
               "let --http listen beyond this machine: whoever reaches it may read the numbers");
  app.footer(
      "Example:\n  gridsweep-coordinator --database postgresql://localhost/gridsweep "
      "--artifacts /var/lib/gridsweep/artifacts");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (!admin_token.empty()) {
    const auto secret = gridsweep::coordinator::CreateAdminToken(options.database, admin_token);
    if (secret.ok()) std::printf("%s\n", secret->c_str());
    return secret.ok() ? 0 : Fail(secret.status());
  }
  if (options.artifacts.empty()) {
    std::fprintf(stderr, "--artifacts is required\n");
    return 2;
  }
  auto& dispatch = options.dispatch;
  if (!ParseDuration(lease_ttl, dispatch.lease_ttl) ||
      !ParseDuration(heartbeat_interval, dispatch.heartbeat_interval) ||
      !ParseDuration(backoff_base, dispatch.failures.backoff_base) ||
      !ParseDuration(artifact_grace, options.artifact_grace) ||
      !ParseDuration(checkpoint_interval, dispatch.checkpoint_interval)) {
    std::fprintf(stderr, "durations are written like 500ms, 15s or 1m30s\n");
    return 2;
  }
  if (!absl::ParseDuration(stuck_after, &dispatch.stuck.least) ||
      dispatch.stuck.least < absl::ZeroDuration()) {
    std::fprintf(stderr, "--stuck-after: \"%s\" is no duration; write for example 5m, or 0\n",
                 stuck_after.c_str());
    return 2;
  }
  if (dispatch.heartbeat_interval * 2 > dispatch.lease_ttl) {
    std::fprintf(stderr, "--heartbeat-interval must be at most half of --lease-ttl\n");
    return 2;
  }

  auto reader = gridsweep::hdf5::Reader::Start();
  if (!reader.ok()) return Fail(reader.status());
  options.reader = *std::move(reader);
  auto coordinator = gridsweep::coordinator::Coordinator::Start(options);
  if (!coordinator.ok()) return Fail(coordinator.status());
  spdlog::info("listening on {}", (*coordinator)->address());
  if (!(*coordinator)->http_address().empty()) {
    spdlog::info("metrics on http://{}/metrics", (*coordinator)->http_address());
  }
  const int signal = gridsweep::WaitForShutdown();
  spdlog::info("signal {}: draining", signal);
  (*coordinator)->Drain(absl::Seconds(8));
  return 0;
}
