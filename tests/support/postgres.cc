#include "tests/support/postgres.h"

#include "tests/support/postgres_server.h"

namespace gridsweep::testing {
namespace {

PostgresServer& TheServer() {
  static PostgresServer server;
  static const bool started = (server.Start(), true);
  (void)started;
  return server;
}

}  // namespace

std::string CreateDatabase() {
  PostgresServer& server = TheServer();
  return server.ConnectionOf(server.CreateDatabase());
}

void CrashAndRestartPostgres() {
  TheServer().Crash();
  TheServer().Start();
}

void StopPostgres() { TheServer().Stop(PostgresServer::Mode::kFast); }
void StartPostgres() { TheServer().Start(); }

}  // namespace gridsweep::testing
