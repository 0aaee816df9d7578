// gridsweep-analysis: serves AnalysisService.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <optional>

#include "analysis/queries/database.h"
#include "analysis/queries/live_tokens.h"
#include "analysis/queries/unit_lookup.h"
#include "analysis/service.h"
#include "common/artifact_store.h"
#include "common/file_limit.h"
#include "common/http_door.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/readiness.h"
#include "common/rpc.h"
#include "common/rpc_metrics.h"
#include "common/security_flags.h"
#include "common/signals.h"
#include "common/status.h"

namespace gridsweep::analysis {
namespace {

// A database that does not answer must not keep revocations waiting for long.
constexpr int kTokenReadTimeoutSeconds = 5;

struct Flags {
  std::string listen = "127.0.0.1:7071";
  std::string database;
  std::string artifacts;
  std::string renderer;
  ServerSecurity security;
  int query_threads = 4;
  int stream_threads = 3;
  HttpSettings http;
};

absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenStore(Database& database, const Flags& flags) {
  std::string instance_id;
  RETURN_IF_ERROR(database.Read(0, [&](Snapshot& snapshot) -> absl::Status {
    ASSIGN_OR_RETURN(instance_id, ReadInstanceId(snapshot));
    return absl::OkStatus();
  }));
  return OpenArtifactDirectory(flags.artifacts, instance_id, /*create=*/false);
}

// build/renderer of a checkout: setup/renderer.sh installs there.
std::string DefaultRenderer() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "../../renderer").lexically_normal();
}

// Waits until the schema and the artifact directory are there, as the
// coordinator makes them; nullptr when told to stop first.
std::unique_ptr<ArtifactStore> WaitForStore(const Flags& flags) {
  Database database({.connection = flags.database}, 1);
  std::unique_ptr<ArtifactStore> store;
  auto next = std::chrono::steady_clock::now();
  std::string said;
  WaitForShutdown([&] {
    if (std::chrono::steady_clock::now() < next) return false;
    next = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    auto opened = OpenStore(database, flags);
    if (opened.ok()) {
      store = *std::move(opened);
      return true;
    }
    const std::string why(opened.status().message());
    if (why != said) spdlog::warn("waiting, trying again every second: {}", why);
    said = why;
    return false;
  });
  return store;
}

int Serve(const Flags& flags) {
  if (const absl::Status status = CheckSecurity(flags.listen, flags.security); !status.ok()) {
    spdlog::error("{}", std::string(status.message()));
    return 1;
  }
  auto reader = hdf5::Reader::Start();
  if (!reader.ok()) {
    spdlog::error("{}", std::string(reader.status().message()));
    return 1;
  }
  Metrics metrics("analysis", GRIDSWEEP_VERSION);
  RpcMetrics calls(metrics);
  RefusedCalls refused(metrics);
  std::atomic<RpcServer*> serving = nullptr;
  // Its own connection: an answer that takes long keeps none of the lanes' from it.
  Database database({.connection = flags.database, .statement_timeout_s = 5}, 1);
  std::optional<Readiness> readiness;
  readiness.emplace(
      Readiness::Settings(),
      [&database] {
        return database.Read(0,
                             [](Snapshot& snapshot) { return ReadInstanceId(snapshot).status(); });
      },
      [&serving](const absl::Status& now) {
        if (!now.ok()) spdlog::error("not ready: {}", std::string(now.message()));
        if (RpcServer* server = serving) server->SetReady(now.ok());
      });
  auto door = HttpDoor::Start(flags.http, metrics, [&]() -> absl::Status {
    if (serving == nullptr) return absl::UnavailableError("waiting for schema and artifacts");
    return readiness->Status();
  });
  if (!door.ok()) {
    spdlog::error("{}", std::string(door.status().message()));
    return 1;
  }
  if (*door != nullptr) spdlog::info("metrics on http://{}/metrics", (*door)->address());
  auto store = WaitForStore(flags);
  if (store == nullptr) return 0;
  AnalysisServiceImpl::Options options;
  options.database.connection = flags.database;
  options.artifacts = flags.artifacts;
  options.renderer.directory = flags.renderer;
  options.query.threads = flags.query_threads;
  options.stream.threads = flags.stream_threads;
  std::shared_ptr<TokenGate> gate;
  if (TokensRequired(flags.listen, flags.security)) {
    auto tokens =
        std::make_shared<Database>(Database::Options{flags.database, kTokenReadTimeoutSeconds}, 1);
    gate = std::make_shared<TokenGate>([tokens] { return ReadLiveTokens(*tokens); },
                                       absl::Seconds(1), &refused);
  }
  AnalysisServiceImpl service(std::move(options), std::move(store), *std::move(reader),
                              gate.get());
  auto server = RpcServer::Start(flags.listen, {&service}, flags.security, gate, &calls);
  if (!server.ok()) {
    spdlog::error("{}", std::string(server.status().message()));
    return 1;
  }
  serving = server->get();
  spdlog::info("serving AnalysisService on {}{}", (*server)->address(),
               gate == nullptr ? " (no tokens are asked for)" : "");
  const int signal = WaitForShutdown();
  spdlog::info("signal {}: finishing calls in flight", signal);
  readiness->Drain();
  (*server)->SetNotServing();
  (*server)->Shutdown(absl::Seconds(8));
  door->reset();
  readiness.reset();  // its thread tells the server
  return 0;
}

}  // namespace
}  // namespace gridsweep::analysis

int main(int argc, char** argv) {
  gridsweep::BlockShutdownSignals();
  gridsweep::RaiseFileLimit();
  gridsweep::analysis::Flags flags;
  flags.renderer = gridsweep::analysis::DefaultRenderer();
  CLI::App app("Answers questions about stored results (AnalysisService).");
  app.set_version_flag("--version", "gridsweep-analysis " GRIDSWEEP_VERSION);
  app.add_option("--listen", flags.listen, "host:port (port 0: any) or unix:PATH")
      ->capture_default_str();
  app.add_option("--database", flags.database,
                 "PostgreSQL URL or keywords; default: $DATABASE_URL, else the PG* variables")
      ->envname("DATABASE_URL");
  app.add_option("--artifacts", flags.artifacts, "directory of result files, as the coordinator's")
      ->required();
  gridsweep::AddServerSecurityFlags(app, flags.security);
  app.add_option("--renderer", flags.renderer,
                 "directory that setup/renderer.sh filled: draws figures as SVG and PNG")
      ->envname("GRIDSWEEP_RENDERER")
      ->capture_default_str();
  app.add_option("--query-threads", flags.query_threads,
                 "threads, each with a connection, for answers")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--stream-threads", flags.stream_threads,
                 "threads, each with a connection, for ratemaps, figures, verification and theory")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--http", flags.http.address,
                 "HOST:PORT (port 0: any) of GET /metrics, /healthz and /readyz; default: none");
  app.add_flag("--http-beyond-loopback", flags.http.beyond_loopback,
               "let --http listen beyond this machine: whoever reaches it may read the numbers");
  app.footer(
      "Example:\n  gridsweep-analysis --database postgresql://localhost/gridsweep "
      "--artifacts /var/lib/gridsweep/artifacts");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  gridsweep::InitLogging("gridsweep-analysis");
  return gridsweep::analysis::Serve(flags);
}
