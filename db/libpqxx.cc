#include "db/libpqxx.h"

#include <stdexcept>
#include <tuple>
#include <utility>

// libpqxx 7 names successors of the calls that both versions have.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace gridsweep::db {
namespace {

constexpr size_t kMostColumns = 24;

// A template, so that what this version of libpqxx lacks is not looked up.
template <typename Connection>
void StayClosedWhenLost(Connection& connection) {
  if constexpr (requires { connection.inhibit_reactivation(true); }) {
    connection.inhibit_reactivation(true);
  }
}

template <typename Stream>
Stream OpenCopy(pqxx::transaction_base& transaction, const std::string& table,
                const std::vector<std::string>& columns) {
  if constexpr (requires { Stream::raw_table(transaction, table, table); }) {
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ",") + column;
    return Stream::raw_table(transaction, table, list);
  } else {
    return Stream(transaction, table, columns);
  }
}

// libpqxx 6 streams tuples alone: sends `fields` as a tuple of their number.
template <size_t... I>
void SendTuple(pqxx::stream_to& stream, const Texts& fields, std::index_sequence<I...>) {
  stream << std::make_tuple(fields[I]...);
}
template <size_t N = 1>
void SendRow(pqxx::stream_to& stream, const Texts& fields) {
  if (fields.size() == N) {
    SendTuple(stream, fields, std::make_index_sequence<N>());
  } else if constexpr (N < kMostColumns) {
    SendRow<N + 1>(stream, fields);
  } else {
    throw std::logic_error("COPY of more columns than foreseen");
  }
}

}  // namespace

std::unique_ptr<pqxx::connection> Connect(const std::string& conninfo) {
  auto connection = std::make_unique<pqxx::connection>(conninfo);
  StayClosedWhenLost(*connection);
  return connection;
}

pqxx::result ExecPrepared(pqxx::transaction_base& transaction, const std::string& statement,
                          const Texts& parameters) {
  return transaction.exec_prepared(statement, pqxx::prepare::make_dynamic_params(parameters));
}

pqxx::result ExecParams(pqxx::transaction_base& transaction, const std::string& sql,
                        const std::vector<std::string>& parameters) {
  return transaction.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters));
}

void Copy(pqxx::transaction_base& transaction, const std::string& table,
          const std::vector<std::string>& columns, size_t rows,
          const std::function<void(size_t row, Texts& fields)>& row) {
  auto stream = OpenCopy<pqxx::stream_to>(transaction, table, columns);
  Texts fields;
  for (size_t i = 0; i < rows; ++i) {
    fields.clear();
    row(i, fields);
    SendRow(stream, fields);
  }
  stream.complete();
}

NotificationReceiver::NotificationReceiver(pqxx::connection& connection, const std::string& channel)
    : notification_receiver(connection, channel) {}

}  // namespace gridsweep::db
