// AnalysisService with tokens, under the database role that may only read.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "analysis/queries/live_tokens.h"
#include "common/sha256.h"
#include "common/strings.h"
#include "tests/analysis/result_world.h"
#include "tests/support/method_walk.h"
#include "tests/support/program.h"

namespace gridsweep::analysis {
namespace {

using testing::Within;

class AnalysisSecurity : public ::testing::Test {
 protected:
  AnalysisSecurity() : world_(/*files=*/true) {
    sweep_ = world_.AddSweep({{.scores = {0.9, 0.1}}, {.seed = 1, .scores = {0.2, 1.3}}});
    world_.Execute(
        testing::ReadFile(std::filesystem::path(GRIDSWEEP_SOURCE_DIR) / "coordinator/roles.sql"));
    world_.Execute(
        "drop role if exists reader; create role reader login in role gridsweep_analysis");
    std::string database = world_.database();
    const std::string owner = "user=gridsweep ";
    database.replace(database.find(owner), owner.size(), "user=reader ");

    auto store = OpenArtifactDirectory(world_.artifacts(),
                                       world_.Ask("select instance_id from instance"), false);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    AnalysisServiceImpl::Options options;
    options.database.connection = database;
    options.artifacts = world_.artifacts();
    service_ = std::make_unique<AnalysisServiceImpl>(std::move(options), *std::move(store),
                                                     *hdf5::Reader::Start());
    auto tokens = std::make_shared<Database>(Database::Options{database}, 1);
    auto gate = std::make_shared<TokenGate>([tokens] { return ReadLiveTokens(*tokens); });
    ServerSecurity security;
    security.tokens = "required";
    auto server = RpcServer::Start("unix:" + (world_.artifacts() / "guarded").string(),
                                   {service_.get()}, security, gate);
    EXPECT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
  }

  // A token as the coordinator stores it.
  std::string Make(const std::string& role, int number) {
    const std::string secret = "secret-of-" + role;
    world_.Execute(StrCat("insert into tokens (name, role, sha256, created_by) values ('", role,
                          "', ", number, ", '\\x", ToHex(Sha256::Of(secret)), "', '')"));
    return secret;
  }
  std::shared_ptr<grpc::Channel> As(const std::string& secret) {
    ClientSecurity security;
    security.token = secret;
    return Dial(server_->address(), security);
  }
  grpc::Status Fraction(const std::string& secret, v1::FractionResponse& response) {
    grpc::ClientContext context;
    v1::FractionRequest request;
    request.mutable_where()->add_sweep_ids(sweep_);
    request.set_metric("grid_score_60");
    request.set_threshold(0.8);
    return v1::AnalysisService::NewStub(As(secret))->Fraction(&context, request, &response);
  }
  bool Accepts(const std::string& secret) {
    v1::FractionResponse response;
    return Fraction(secret, response).ok();
  }

  ResultWorld world_;
  int64_t sweep_ = 0;
  std::unique_ptr<AnalysisServiceImpl> service_;
  std::unique_ptr<RpcServer> server_;
};

TEST_F(AnalysisSecurity, EveryMethodAsksForItsRole) {
  std::map<std::string, std::set<std::string>> allowed;
  const std::set<std::string> readers = {"read", "submit", "work", "admin"};
  for (const char* method : {"Fraction", "Summarize", "ListUnits", "GetRatemaps", "VerifySweep",
                             "ComparePublished", "NeuralPredictivity", "PredictRecordings",
                             "ReadoutTheory", "RenderFigure", "ListMetrics"}) {
    allowed[std::string("/gridsweep.v1.AnalysisService/") + method] = readers;
  }
  allowed["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = readers;
  for (const char* method : {"Check", "Watch"}) {
    allowed[std::string("/grpc.health.v1.Health/") + method] = {"", "read", "submit", "work",
                                                                "admin"};
  }
  const std::map<std::string, std::string> secrets = {{"", ""},
                                                      {"read", Make("read", 1)},
                                                      {"submit", Make("submit", 2)},
                                                      {"work", Make("work", 3)},
                                                      {"admin", Make("admin", 4)}};
  for (const auto& [role, secret] : secrets) {
    if (!secret.empty()) ASSERT_TRUE(Within([&, s = secret] { return Accepts(s); })) << role;
  }
  testing::ExpectRoles(As(secrets.at("read")), allowed, secrets,
                       [&](const std::string& secret) { return As(secret); });
}

TEST_F(AnalysisSecurity, AnswersAndVerifiesUnderTheRoleThatMayOnlyRead) {
  const std::string secret = Make("read", 1);
  ASSERT_TRUE(Within([&] { return Accepts(secret); }));
  v1::FractionResponse response;
  ASSERT_TRUE(Fraction(secret, response).ok());
  ASSERT_EQ(response.rows_size(), 1);
  EXPECT_EQ(response.rows(0).numerator(), 2);
  EXPECT_EQ(response.rows(0).denominator(), 4);

  grpc::ClientContext context;
  v1::VerifySweepRequest request;
  request.set_sweep_id(sweep_);
  const auto stream = v1::AnalysisService::NewStub(As(secret))->VerifySweep(&context, request);
  v1::VerifySweepResponse line;
  int lines = 0;
  while (stream->Read(&line)) ++lines;
  const grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_GT(lines, 0);
}

TEST_F(AnalysisSecurity, RevokedAndExpiredTokensAreRefused) {
  const std::string revoked = Make("read", 1), expired = Make("submit", 2);
  ASSERT_TRUE(Within([&] { return Accepts(revoked) && Accepts(expired); }));
  world_.Execute("update tokens set revoked_at = clock_timestamp() where name = 'read'");
  world_.Execute("update tokens set expires_at = clock_timestamp() where name = 'submit'");
  EXPECT_TRUE(Within([&] { return !Accepts(revoked) && !Accepts(expired); }));
}

}  // namespace
}  // namespace gridsweep::analysis
