// What the project relies on in libpqxx, whichever version it is.
#include "db/libpqxx.h"

#include <gtest/gtest.h>

#include "tests/support/postgres.h"

namespace gridsweep::db {
namespace {

class Libpqxx : public ::testing::Test {
 protected:
  const std::string conninfo_ = testing::CreateDatabase();
  std::unique_ptr<pqxx::connection> connection_ = Connect(conninfo_);
};

TEST_F(Libpqxx, ALostConnectionStaysLost) {
  {
    pqxx::nontransaction session(*connection_);
    session.exec("set application_name = 'ours'");
    const int process = connection_->backendpid();
    const auto other = Connect(conninfo_);
    pqxx::nontransaction killer(*other);
    killer.exec("select pg_terminate_backend(" + std::to_string(process) + ", 10000)");
  }
  const auto use = [&] {
    pqxx::work work(*connection_);
    return std::string(work.exec("show application_name")[0][0].c_str());
  };
  EXPECT_THROW(use(), pqxx::failure);
  EXPECT_FALSE(connection_->is_open());
  EXPECT_THROW(use(), pqxx::failure);
}

TEST_F(Libpqxx, ParametersArriveAsTheyAreAndNullAsNull) {
  connection_->prepare("echo", "select $1::text, $2::text is null, $3::text");
  pqxx::work work(*connection_);
  for (int i = 0; i < 2; ++i) {
    const auto row = ExecPrepared(work, "echo", {"it's \\ \"\n\t", nullptr, ""})[0];
    EXPECT_STREQ(row[0].c_str(), "it's \\ \"\n\t");
    EXPECT_STREQ(row[1].c_str(), "t");
    EXPECT_FALSE(row[2].is_null());
    EXPECT_STREQ(row[2].c_str(), "");
  }
  EXPECT_STREQ(ExecParams(work, "select $2::text || $1::text", {"a'b", "\\"})[0][0].c_str(),
               "\\a'b");
  EXPECT_STREQ(ExecParams(work, "select 7", {})[0][0].c_str(), "7");
}

TEST_F(Libpqxx, CopySendsEveryFieldAsItIs) {
  pqxx::work work(*connection_);
  work.exec(
      "create schema s; create table s.t (a bigint, b text, c text, untouched int default 7)");
  const std::vector<std::string> texts = {"",    "\t",  "\n", "\r",      "\\",
                                          "\\N", "\\.", "ä",  "a\tb\\nc"};
  std::string number;
  Copy(work, "s.t", {"a", "c", "b"}, texts.size(), [&](size_t i, Texts& fields) {
    number = std::to_string(i);
    fields = {number.c_str(), nullptr, texts[i].c_str()};
  });
  const auto rows = work.exec("select a, b, c, untouched from s.t order by a");
  ASSERT_EQ(static_cast<size_t>(rows.size()), texts.size());
  for (const auto& row : rows) {
    EXPECT_EQ(row[1].c_str(), texts[row[0].as<size_t>()]);
    EXPECT_TRUE(row[2].is_null());
    EXPECT_STREQ(row[3].c_str(), "7");
  }
  // As many columns as the widest table is given at once.
  std::string columns;
  std::vector<std::string> names;
  for (int i = 0; i < 24; ++i) {
    names.push_back("c" + std::to_string(i));
    columns += (i > 0 ? ", " : "") + names.back() + " int";
  }
  work.exec("create table wide (" + columns + ")");
  Copy(work, "wide", names, 1, [](size_t, Texts& fields) { fields.assign(24, "3"); });
  EXPECT_STREQ(work.exec("select c0 + c23 from wide")[0][0].c_str(), "6");
}

TEST_F(Libpqxx, ARefusedCopyThrowsWhatPostgresSays) {
  pqxx::work work(*connection_);
  work.exec("create table t (a int not null)");
  try {
    Copy(work, "t", {"a"}, 1, [](size_t, Texts& fields) { fields = {nullptr}; });
    ADD_FAILURE() << "a NULL was accepted";
  } catch (const pqxx::not_null_violation& e) {
    EXPECT_EQ(e.sqlstate(), "23502");
  } catch (const pqxx::failure& e) {
    // libpqxx 6 keeps the text alone.
    EXPECT_NE(std::string(e.what()).find("violates not-null constraint"), std::string::npos);
  }
}

TEST_F(Libpqxx, NotificationsReachTheirReceiver) {
  struct Receiver : NotificationReceiver {
    explicit Receiver(pqxx::connection& connection) : NotificationReceiver(connection, "news") {}
    void operator()(const std::string& payload, int process) override {
      heard.push_back(payload);
      from = process;
    }
    std::vector<std::string> heard;
    int from = 0;
  } receiver(*connection_);
  const auto other = Connect(conninfo_);
  pqxx::nontransaction sender(*other);
  sender.exec("notify news, 'one'");
  sender.exec("notify others, 'not ours'");
  sender.exec("notify news, 'two'");
  while (receiver.heard.size() < 2) ASSERT_GT(connection_->await_notification(10, 0), 0);
  EXPECT_EQ(receiver.heard, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(receiver.from, other->backendpid());
}

}  // namespace
}  // namespace gridsweep::db
