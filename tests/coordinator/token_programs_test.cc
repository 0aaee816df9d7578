// Tokens as an operator meets them: the coordinator as a program, and sweepctl.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/certificates.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::coordinator {
namespace {

namespace fs = std::filesystem;
using sweepctl::RunCaptured;
using testing::ReadFile;
using testing::Within;

constexpr char kCoordinator[] = GRIDSWEEP_BINARY_DIR "/bin/gridsweep-coordinator";

class TokenPrograms : public ::testing::Test {
 protected:
  std::vector<std::string> Coordinator(const std::string& address) {
    return {kCoordinator,
            "--listen",
            address,
            "--database",
            database_,
            "--artifacts",
            directory_ / "artifacts"};
  }
  std::string Save(const std::string& name, const std::string& secret) {
    const fs::path file = directory_ / name;
    std::ofstream(file) << secret;
    return file;
  }
  sweepctl::Ran Sweepctl(const std::string& token_file, std::vector<std::string> args) {
    args.insert(args.end(), {"--address", address_});
    if (!ca_.empty()) args.insert(args.end(), {"--tls-ca", ca_});
    if (!token_file.empty()) args.insert(args.end(), {"--token-file", token_file});
    return RunCaptured(args);
  }

  const testing::TemporaryDirectory directory_;
  const std::string database_ = testing::CreateDatabase();
  std::string address_, ca_;
};

TEST_F(TokenPrograms, TheFirstTokenThenOthersOverTls) {
  const testing::Ran first =
      testing::Run({kCoordinator, "--database", database_, "--create-admin-token", "root"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.out.rfind("gridsweep_", 0), 0u) << first.out;
  EXPECT_EQ(first.err.find(first.out.substr(0, 30)), std::string::npos) << "in the log";
  const std::string root = Save("root", first.out);

  const testing::Authority authority(directory_ / "tls");
  authority.Sign("server");
  auto words = Coordinator("127.0.0.1:0");
  words.insert(words.end(), {"--tls-cert", authority.cert("server"), "--tls-key",
                             authority.key("server"), "--tokens", "required"});
  testing::Program program(words, directory_ / "log");
  const std::string listening = "listening on ";
  ASSERT_TRUE(Within([&] {
    const std::string log = ReadFile(directory_ / "log");
    const size_t at = log.find(listening);
    if (at == std::string::npos || log.find('\n', at) == std::string::npos) return false;
    address_ = log.substr(at + listening.size(), log.find('\n', at) - at - listening.size());
    return true;
  })) << ReadFile(directory_ / "log");
  ca_ = authority.ca();

  ASSERT_TRUE(Within([&] { return Sweepctl(root, {"token", "list"}).code == 0; }));
  const auto made =
      Sweepctl(root, {"token", "create", "ada", "--role", "read", "--valid-for", "30d"});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string ada = Save("ada", made.out);
  ASSERT_TRUE(Within([&] { return Sweepctl(ada, {"get", "sweeps"}).code == 0; }));
  const auto denied = Sweepctl(ada, {"token", "list"});
  EXPECT_EQ(denied.code, 4);
  EXPECT_NE(denied.err.find("needs the role admin"), std::string::npos) << denied.err;
  EXPECT_EQ(Sweepctl("", {"get", "sweeps"}).code, 4);

  // A secret that cannot be written is lost, and is said to be.
  for (const std::string format : {"auto", "json"}) {
    const std::string name = "lost-" + format;
    std::istringstream in;
    std::ostream nowhere(nullptr);
    std::ostringstream err;
    sweepctl::Console console{in, nowhere, err};
    std::vector<std::string> words = {"token", "create",       name,     "--role",
                                      "read",  "--address",    address_, "--tls-ca",
                                      ca_,     "--token-file", root};
    if (format == "json") words.insert(words.end(), {"-o", "json"});
    EXPECT_EQ(sweepctl::RunSweepctl(words, console), 1);
    EXPECT_NE(err.str().find("`sweepctl token revoke " + name + "`"), std::string::npos)
        << err.str();
    ASSERT_EQ(Sweepctl(root, {"token", "revoke", name}).code, 0);
  }

  const auto listed = Sweepctl(root, {"token", "list", "-o", "json"});
  const auto tokens = nlohmann::json::parse(listed.out);
  ASSERT_EQ(tokens.size(), 2u) << listed.out;
  EXPECT_EQ(tokens[0]["name"], "ada");
  EXPECT_EQ(tokens[0]["role"], "ROLE_READ");
  EXPECT_EQ(tokens[0]["created_by"], "root");
  EXPECT_FALSE(tokens[0]["expires_at"].is_null());
  EXPECT_EQ(listed.out.find("gridsweep_"), std::string::npos) << "a secret";

  ASSERT_EQ(Sweepctl(root, {"token", "revoke", "ada"}).code, 0);
  EXPECT_TRUE(Within([&] { return Sweepctl(ada, {"get", "sweeps"}).code == 4; }));
  EXPECT_EQ(Sweepctl(root, {"token", "revoke", "nobody"}).code, 3);

  const std::string log = ReadFile(directory_ / "log");
  EXPECT_NE(log.find("audit: /gridsweep.v1.AdminService/CreateToken by root from ipv4:127.0.0.1:"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("/RevokeToken by root"), std::string::npos) << log;
  EXPECT_EQ(log.find("gridsweep_"), std::string::npos) << "a secret in the log";
  EXPECT_EQ(program.Terminate(), 0);
}

TEST_F(TokenPrograms, NothingListensBeyondThisMachineUnasked) {
  const testing::Ran ran = testing::Run(Coordinator("0.0.0.0:0"));
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("--tls-cert"), std::string::npos) << ran.err;
  EXPECT_FALSE(fs::exists(directory_ / "artifacts"));
}

TEST_F(TokenPrograms, SweepctlRefusesWordsThatAreNoRoleOrTime) {
  address_ = "unix:" + (directory_ / "none").string();
  EXPECT_EQ(Sweepctl("", {"token", "create", "a", "--role", "boss"}).code, 2);
  EXPECT_EQ(Sweepctl("", {"token", "create", "a", "--role", "read", "--valid-for", "soon"}).code,
            2);
  EXPECT_EQ(Sweepctl("", {"token", "create", "a", "--role", "read", "-o", "name"}).code, 2);
}

}  // namespace
}  // namespace gridsweep::coordinator
