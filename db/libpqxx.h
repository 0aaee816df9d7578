// The calls in which libpqxx 6.4 (Debian 12) and 7.10 (Debian 13) differ. Everything else of
// libpqxx that the project uses compiles with both. All functions throw what libpqxx throws.
#pragma once

#include <functional>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace gridsweep::db {

// Opens a connection that stays closed once it is lost: a silent reconnect, as libpqxx 6 makes by
// default, would lose the session's settings and locks.
std::unique_ptr<pqxx::connection> Connect(const std::string& conninfo);

// One text a parameter or field; nullptr is NULL.
using Texts = std::vector<const char*>;

// Executes a statement that was prepared on the transaction's connection.
pqxx::result ExecPrepared(pqxx::transaction_base& transaction, const std::string& statement,
                          const Texts& parameters);
// Executes `sql`, whose $1, $2, ... are `parameters`.
pqxx::result ExecParams(pqxx::transaction_base& transaction, const std::string& sql,
                        const std::vector<std::string>& parameters);
// Sends `rows` rows by COPY. `row` appends the fields of one, in the order of `columns` (at most
// 24); what they point to stays as it is until its next call.
void Copy(pqxx::transaction_base& transaction, const std::string& table,
          const std::vector<std::string>& columns, size_t rows,
          const std::function<void(size_t row, Texts& fields)>& row);

// Receives what is sent to `channel` while `connection` awaits notifications; listens from its
// construction to its destruction.
class NotificationReceiver : public pqxx::notification_receiver {
 protected:
  NotificationReceiver(pqxx::connection& connection, const std::string& channel);
};

}  // namespace gridsweep::db
