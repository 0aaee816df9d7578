#include "sweepctl/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/temporary_directory.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    environment_["HOME"] = home_.path();
    input_.environment = [this](const char* variable) -> std::optional<std::string> {
      const auto found = environment_.find(variable);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    };
    input_.local_instance = [this] { return local_; };
  }

  void WriteConfig(const std::string& text) {
    fs::create_directories(home_ / ".config/gridsweep");
    std::ofstream(home_ / ".config/gridsweep/config.yaml") << text;
  }
  Setting Address() { return ResolveSettings(input_).value().address; }

  const testing::TemporaryDirectory home_;
  std::map<std::string, std::string> environment_;
  std::optional<std::pair<std::string, std::string>> local_;
  SettingsInput input_;
};

constexpr char kTwoContexts[] =
    "current-context: lab\n"
    "contexts:\n"
    "  lab:\n"
    "    address: 127.0.0.1:1\n"
    "    analysis-address: 127.0.0.1:2\n"
    "  cluster:\n"
    "    address: 127.0.0.1:3\n";

TEST_F(ConfigTest, TheDefaultIsLast) {
  EXPECT_EQ(Address().value, kDefaultAddress);
  EXPECT_EQ(Address().source, "default");
}

TEST_F(ConfigTest, EachSourceYieldsToTheOneBefore) {
  local_ = {"unix:/local", "unix:/local2"};
  EXPECT_EQ(Address().value, "unix:/local");
  EXPECT_TRUE(Address().from_local_instance);
  WriteConfig(kTwoContexts);
  EXPECT_EQ(Address().value, "127.0.0.1:1");
  EXPECT_EQ(Address().source, "context lab");
  environment_["GRIDSWEEP_ADDRESS"] = "127.0.0.1:4";
  EXPECT_EQ(Address().value, "127.0.0.1:4");
  EXPECT_EQ(Address().source, "environment GRIDSWEEP_ADDRESS");
  input_.address = "127.0.0.1:5";
  EXPECT_EQ(Address().value, "127.0.0.1:5");
  EXPECT_EQ(Address().source, "flag --address");
}

TEST_F(ConfigTest, TheContextIsChosenByFlagThenEnvironmentThenFile) {
  WriteConfig(kTwoContexts);
  environment_["GRIDSWEEP_CONTEXT"] = "cluster";
  EXPECT_EQ(Address().value, "127.0.0.1:3");
  input_.context = "lab";
  EXPECT_EQ(Address().value, "127.0.0.1:1");
}

TEST_F(ConfigTest, AContextWithoutAnAddressLeavesItToTheNextSource) {
  WriteConfig(kTwoContexts);
  input_.context = "cluster";
  EXPECT_EQ(ResolveSettings(input_)->analysis_address.source, "default");
}

TEST_F(ConfigTest, AnUnknownContextNamesTheKnownOnes) {
  WriteConfig(kTwoContexts);
  input_.context = "labb";
  const auto status = ResolveSettings(input_).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("there is no context \"labb\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr("lab"));
}

TEST_F(ConfigTest, AMistypedKeyIsRefusedWithItsLine) {
  WriteConfig("contexts:\n  lab:\n    adress: x\n");
  input_.context = "lab";
  EXPECT_THAT(std::string(ResolveSettings(input_).status().message()),
              HasSubstr("config.yaml:3:5: \"adress\" is not one of address, analysis-address"));
}

TEST_F(ConfigTest, TlsAndTokensComeByFlagEnvironmentAndContext) {
  WriteConfig(
      "current-context: lab\n"
      "contexts:\n"
      "  lab:\n"
      "    address: h:1\n"
      "    tls-ca: /context/ca\n"
      "    tls-cert: /context/cert\n"
      "    token-file: /context/token\n"
      "    insecure: yes\n");
  environment_["GRIDSWEEP_TLS_CERT"] = "/environment/cert";
  environment_["GRIDSWEEP_TLS_KEY"] = "/environment/key";
  input_.tls_key = "/flag/key";
  const Settings settings = ResolveSettings(input_).value();
  const ClientSecurity security = SecurityOf(settings);
  EXPECT_EQ(security.tls_ca, "/context/ca");
  EXPECT_EQ(security.tls_cert, "/environment/cert");
  EXPECT_EQ(security.tls_key, "/flag/key");
  EXPECT_EQ(security.token_file, "/context/token");
  EXPECT_TRUE(security.insecure);
  EXPECT_EQ(settings.tls_key.source, "flag --tls-key");
  EXPECT_EQ(settings.tls_cert.source, "environment GRIDSWEEP_TLS_CERT");
}

TEST_F(ConfigTest, ATokenComesByFileFirstButTheEnvironmentsBeforeTheContexts) {
  WriteConfig("current-context: lab\ncontexts:\n  lab:\n    token-file: /context/token\n");
  environment_["GRIDSWEEP_TOKEN"] = "secret";
  auto security = [this] { return SecurityOf(ResolveSettings(input_).value()); };
  EXPECT_EQ(security().token, "secret");
  EXPECT_EQ(security().token_file, "");
  environment_["GRIDSWEEP_TOKEN_FILE"] = "/environment/token";
  EXPECT_EQ(security().token_file, "/environment/token");
  EXPECT_EQ(security().token, "");
  input_.token_file = "/flag/token";
  EXPECT_EQ(security().token_file, "/flag/token");
}

TEST_F(ConfigTest, AFileThatIsNotYamlIsRefused) {
  WriteConfig("contexts: [\n");
  EXPECT_FALSE(ResolveSettings(input_).ok());
}

TEST_F(ConfigTest, XdgConfigHomeIsHonoured) {
  fs::create_directories(home_ / "xdg/gridsweep");
  std::ofstream(home_ / "xdg/gridsweep/config.yaml") << kTwoContexts;
  environment_["XDG_CONFIG_HOME"] = (home_ / "xdg").string();
  EXPECT_EQ(Address().value, "127.0.0.1:1");
}

}  // namespace
}  // namespace gridsweep::sweepctl
