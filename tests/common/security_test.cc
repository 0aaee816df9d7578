// TLS, mTLS and tokens between our servers and our channels.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "common/method_roles.h"
#include "common/rpc.h"
#include "common/sha256.h"
#include "gridsweep/v1/admin.grpc.pb.h"
#include "gridsweep/v1/analysis.pb.h"
#include "gridsweep/v1/dispatch.pb.h"
#include "gridsweep/v1/sweep.pb.h"
#include "tests/support/certificates.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep {
namespace {

namespace fs = std::filesystem;
using grpc::StatusCode;
using testing::Authority;
using testing::Within;

class Fleet : public v1::AdminService::Service {
  grpc::Status ListWorkers(grpc::ServerContext*, const v1::ListWorkersRequest*,
                           v1::ListWorkersResponse*) override {
    return grpc::Status::OK;
  }
};

class SecurityTest : public ::testing::Test {
 protected:
  SecurityTest() : authority_(directory_ / "one") { authority_.Sign("server"); }

  ServerSecurity Tls() const {
    ServerSecurity security;
    security.tls_cert = authority_.cert("server");
    security.tls_key = authority_.key("server");
    return security;
  }
  ClientSecurity Trusting(const Authority& authority) const {
    ClientSecurity security;
    security.tls_ca = authority.ca();
    return security;
  }
  void Start(const ServerSecurity& security, std::shared_ptr<TokenGate> gate = nullptr) {
    auto server = RpcServer::Start("127.0.0.1:0", {&fleet_}, security, std::move(gate));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  grpc::Status Call(const ClientSecurity& security) {
    const absl::Status fit = CheckSecurity(server_->address(), security);
    EXPECT_TRUE(fit.ok()) << fit;
    const auto stub = v1::AdminService::NewStub(Dial(server_->address(), security));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::ListWorkersResponse response;
    return stub->ListWorkers(&context, {}, &response);
  }
  // A gate that accepts "secret" as a reader.
  std::shared_ptr<TokenGate> Gate(absl::Duration valid_for = absl::InfiniteDuration()) {
    auto gate = std::make_shared<TokenGate>(
        [this, valid_for]() -> absl::StatusOr<std::vector<LiveToken>> {
          ++loads_;
          if (outage_) return absl::UnavailableError("the database is away");
          if (revoked_) return std::vector<LiveToken>();
          return std::vector<LiveToken>{{"ada", v1::ROLE_READ, Sha256::Of("secret"), valid_for}};
        },
        absl::Milliseconds(20));
    WaitForReload();
    return gate;
  }
  // Until two reads have begun after now, so that one of them has ended.
  void WaitForReload() {
    const int before = loads_;
    EXPECT_TRUE(Within([&] { return loads_ > before + 1; }));
  }

  const testing::TemporaryDirectory directory_;
  Authority authority_;
  Fleet fleet_;
  std::atomic<int> loads_ = 0;
  std::atomic<bool> outage_ = false, revoked_ = false;
  std::unique_ptr<RpcServer> server_;
};

TEST_F(SecurityTest, TlsServesThoseWhoTrustItsAuthority) {
  Start(Tls());
  EXPECT_TRUE(Call(Trusting(authority_)).ok());
  const Authority other(directory_ / "two");
  EXPECT_EQ(Call(Trusting(other)).error_code(), StatusCode::UNAVAILABLE);
  EXPECT_FALSE(Call({}).ok()) << "plain text reached a TLS server";
}

TEST_F(SecurityTest, MutualTlsRefusesClientsWithoutACertificateOfItsAuthority) {
  ServerSecurity security = Tls();
  security.tls_client_ca = authority_.ca();
  Start(security);
  EXPECT_FALSE(Call(Trusting(authority_)).ok());
  ClientSecurity client = Trusting(authority_);
  authority_.Sign("client");
  client.tls_cert = authority_.cert("client");
  client.tls_key = authority_.key("client");
  EXPECT_TRUE(Call(client).ok());
  const Authority other(directory_ / "two");
  other.Sign("client");
  client.tls_cert = other.cert("client");
  client.tls_key = other.key("client");
  EXPECT_FALSE(Call(client).ok());
}

TEST_F(SecurityTest, ReplacedCertificatesAreServedWithoutARestart) {
  Start(Tls());
  ASSERT_TRUE(Call(Trusting(authority_)).ok());
  const Authority next(directory_ / "two");
  next.Sign("server");
  EXPECT_FALSE(Call(Trusting(next)).ok());
  fs::rename(next.key("server"), authority_.key("server"));
  fs::rename(next.cert("server"), authority_.cert("server"));
  EXPECT_TRUE(Within([&] { return Call(Trusting(next)).ok(); }));
  EXPECT_FALSE(Call(Trusting(authority_)).ok());
}

TEST_F(SecurityTest, FilesThatAreNoCertificateAndItsKeyAreRefusedByName) {
  ServerSecurity security = Tls();
  authority_.Sign("other");
  security.tls_key = authority_.key("other");
  auto status = CheckSecurity("127.0.0.1:0", security);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find(security.tls_key), absl::string_view::npos) << status;
  security.tls_key = authority_.cert("server");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckSecurity("127.0.0.1:0", security)));
  security.tls_key = "/nonexistent";
  EXPECT_TRUE(absl::IsInvalidArgument(CheckSecurity("127.0.0.1:0", security)));
  security.tls_key = "";
  EXPECT_TRUE(absl::IsInvalidArgument(CheckSecurity("127.0.0.1:0", security)));
}

TEST_F(SecurityTest, ListensBeyondThisMachineOnlyWithTlsAndTokensOrWhenToldSo) {
  ServerSecurity security = Tls();
  for (const char* address : {"0.0.0.0:0", "[::]:0", "10.0.0.1:7070"}) {
    EXPECT_TRUE(CheckSecurity(address, security).ok()) << address;
    EXPECT_TRUE(TokensRequired(address, security)) << address;
    EXPECT_TRUE(absl::IsFailedPrecondition(CheckSecurity(address, ServerSecurity()))) << address;
    security.tokens = "off";
    EXPECT_TRUE(absl::IsFailedPrecondition(CheckSecurity(address, security))) << address;
    security.insecure_listen = true;
    EXPECT_TRUE(CheckSecurity(address, security).ok()) << address;
    security = Tls();
    ServerSecurity open;
    open.insecure_listen = true;
    EXPECT_TRUE(CheckSecurity(address, open).ok()) << address;
    open.tokens = "required";
    EXPECT_TRUE(absl::IsFailedPrecondition(CheckSecurity(address, open))) << "tokens in the clear";
  }
  EXPECT_FALSE(TokensRequired("127.0.0.1:7070", {}));
  EXPECT_FALSE(TokensRequired("unix:/run/gridsweep", {}));
}

TEST_F(SecurityTest, NoTokenLeavesThisMachineUnencrypted) {
  ClientSecurity client;
  client.token = "secret";
  client.insecure = true;
  EXPECT_TRUE(absl::IsInvalidArgument(CheckSecurity("10.0.0.1:7070", client)));
  EXPECT_TRUE(CheckSecurity("127.0.0.1:7070", client).ok());
  client.token = "";
  EXPECT_TRUE(CheckSecurity("10.0.0.1:7070", client).ok());
}

TEST_F(SecurityTest, TokensTravelOverTlsAndLoopbackAndAreReadFromTheirFileAnew) {
  for (const bool tls : {true, false}) {
    ServerSecurity security = tls ? Tls() : ServerSecurity();
    security.tokens = "required";
    Start(security, Gate());
    ClientSecurity client = tls ? Trusting(authority_) : ClientSecurity();
    EXPECT_EQ(Call(client).error_code(), StatusCode::UNAUTHENTICATED);
    client.token_file = directory_ / "token";
    std::ofstream(client.token_file) << "wrong\n";
    EXPECT_EQ(Call(client).error_code(), StatusCode::UNAUTHENTICATED);
    std::ofstream(client.token_file) << "secret\n";
    const grpc::Status status = Call(client);
    EXPECT_TRUE(status.ok()) << status.error_message();
    server_.reset();
  }
}

TEST_F(SecurityTest, ARevokedTokenIsRefusedAfterTheNextRead) {
  ServerSecurity security;
  security.tokens = "required";
  Start(security, Gate());
  ClientSecurity client;
  client.token = "secret";
  ASSERT_TRUE(Call(client).ok());
  revoked_ = true;
  WaitForReload();
  EXPECT_EQ(Call(client).error_code(), StatusCode::UNAUTHENTICATED);
}

TEST_F(SecurityTest, AnOutageKeepsTheLastKnownTokensUntilTheyExpire) {
  ServerSecurity security;
  security.tokens = "required";
  Start(security, Gate());
  ClientSecurity client;
  client.token = "secret";
  outage_ = true;
  WaitForReload();
  EXPECT_TRUE(Call(client).ok());
  server_.reset();

  outage_ = false;
  Start(security, Gate(/*valid_for=*/absl::Milliseconds(300)));
  outage_ = true;
  EXPECT_TRUE(Within([&] { return Call(client).error_code() == StatusCode::UNAUTHENTICATED; }));
}

TEST_F(SecurityTest, BeforeTokensWereEverReadCallersAreToldToTryAgain) {
  outage_ = true;
  ServerSecurity security;
  security.tokens = "required";
  Start(security, Gate());
  ClientSecurity client;
  client.token = "secret";
  EXPECT_EQ(Call(client).error_code(), StatusCode::UNAVAILABLE);
}

TEST(MethodRoles, EveryMethodOfEveryServiceHasARule) {
  int methods = 0;
  for (const auto* file :
       {v1::Token::descriptor()->file(), v1::FractionRequest::descriptor()->file(),
        v1::RegisterRequest::descriptor()->file(), v1::GetSweepRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m, ++methods) {
        const std::string path =
            "/" + file->service(s)->full_name() + "/" + file->service(s)->method(m)->name();
        EXPECT_TRUE(RuleOf(path)) << path << " is missing in common/method_roles.cc";
      }
    }
  }
  EXPECT_GE(methods, 41);
  EXPECT_FALSE(RuleOf("/gridsweep.v1.SweepService/NoSuchMethod"));
}

}  // namespace
}  // namespace gridsweep
