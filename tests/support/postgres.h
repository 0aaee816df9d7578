// A real PostgreSQL for tests: a private cluster in a temporary directory, on
// a unix socket, started once a process and removed at its end.
#pragma once

#include <string>

namespace gridsweep::testing {

// A fresh, empty database in this process's cluster; its libpq connection
// string. Starts the cluster at the first call; aborts with a message when
// PostgreSQL cannot be started.
std::string CreateDatabase();

// Stops the server at once (SIGKILL to all of it) and starts it again.
void CrashAndRestartPostgres();

// Stops the server, cutting off whoever is connected, and starts it again.
void StopPostgres();
void StartPostgres();

}  // namespace gridsweep::testing
