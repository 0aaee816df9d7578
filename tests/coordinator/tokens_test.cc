// Bearer tokens against a real coordinator and a real database.
#include <httplib.h>

#include <map>
#include <set>
#include <thread>

#include "coordinator/store/tokens.h"
#include "tests/coordinator/server_fixture.h"
#include "tests/support/method_walk.h"
#include "tests/support/program.h"

namespace gridsweep::coordinator {
namespace {

using grpc::StatusCode;
using testing::Within;

class TokensTest : public ServerTest {
 protected:
  TokensTest() { options_.security.tokens = "required"; }

  std::string Make(const std::string& name, v1::Role role,
                   std::optional<absl::Duration> valid_for = std::nullopt) {
    const auto created = CreateToken(db_, {name, role, valid_for, "test"});
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? created->secret : "";
  }
  std::shared_ptr<grpc::Channel> As(const std::string& secret) {
    ClientSecurity security;
    security.token = secret;
    return Dial(coordinator_->address(), security);
  }
  grpc::Status ListWorkers(const std::string& secret) {
    grpc::ClientContext context;
    v1::ListWorkersResponse response;
    return v1::AdminService::NewStub(As(secret))->ListWorkers(&context, {}, &response);
  }
  // The coordinator reads tokens anew once a second.
  void WaitUntilAccepted(const std::string& secret) {
    ASSERT_TRUE(Within([&] { return ListWorkers(secret).ok(); }));
  }
  // One value of one row.
  std::string Ask(const std::string& sql) {
    const auto value = db_.Transact([&](Transaction& t) -> absl::StatusOr<std::string> {
      return std::string(t.ExecText(sql)[0][0].c_str());
    });
    EXPECT_TRUE(value.ok()) << sql << ": " << value.status();
    return value.ok() ? *value : "";
  }
  absl::StatusCode CreateCode(const NewToken& token) {
    return CreateToken(db_, token).status().code();
  }
};

TEST_F(TokensTest, EveryMethodAsksForItsRole) {
  const std::set<std::string> everybody = {"", "read", "submit", "work", "admin"};
  const std::set<std::string> readers = {"read", "submit", "work", "admin"};
  const std::set<std::string> submitters = {"submit", "admin"};
  const std::set<std::string> workers = {"work", "admin"};
  const std::set<std::string> admins = {"admin"};
  std::map<std::string, std::set<std::string>> allowed;
  const auto allow = [&](const std::string& service, const std::set<std::string>& roles,
                         const std::vector<std::string>& methods) {
    for (const auto& method : methods) allowed["/" + service + "/" + method] = roles;
  };
  allow("grpc.health.v1.Health", everybody, {"Check", "Watch"});
  allow("grpc.reflection.v1alpha.ServerReflection", readers, {"ServerReflectionInfo"});
  allow("gridsweep.v1.SweepService", readers,
        {"ValidateSweep", "GetSweep", "ListSweeps", "WatchSweep", "ListRuns", "GetRun",
         "StreamLogs"});
  allow("gridsweep.v1.SweepService", submitters,
        {"CreateSweep", "CancelSweep", "PauseSweep", "ResumeSweep", "StopSweep", "RetrySweep",
         "DeleteSweep"});
  allow("gridsweep.v1.DispatchService", workers,
        {"Register", "LeaseRuns", "Heartbeat", "UploadArtifact", "CompleteRun", "FailRun",
         "ReleaseRuns", "SaveCheckpoint", "LoadCheckpoint", "FindUpload"});
  allow("gridsweep.v1.AdminService", readers, {"ListWorkers"});
  allow("gridsweep.v1.AdminService", admins,
        {"CordonWorker", "UncordonWorker", "DrainWorker", "CreateToken", "ListTokens",
         "RevokeToken", "CheckArtifacts"});

  std::map<std::string, std::string> secrets = {{"", ""}};
  for (const auto& [name, role] :
       {std::pair("read", v1::ROLE_READ), std::pair("submit", v1::ROLE_SUBMIT),
        std::pair("work", v1::ROLE_WORK), std::pair("admin", v1::ROLE_ADMIN)}) {
    secrets[name] = Make(name, role);
  }
  for (const auto& [role, secret] : secrets) {
    if (!secret.empty()) WaitUntilAccepted(secret);
  }
  testing::ExpectRoles(As(secrets["read"]), allowed, secrets,
                       [&](const std::string& secret) { return As(secret); });
}

TEST_F(TokensTest, ARefusalSaysWhichRoleIsNeededAndHowToGetAToken) {
  const std::string reader = Make("reader", v1::ROLE_READ);
  WaitUntilAccepted(reader);
  grpc::ClientContext context;
  v1::CreateSweepResponse response;
  const auto denied =
      v1::SweepService::NewStub(As(reader))->CreateSweep(&context, SpecOf(1), &response);
  EXPECT_EQ(denied.error_code(), StatusCode::PERMISSION_DENIED);
  for (const char* part : {"CreateSweep", "role submit", "\"reader\"", "role read",
                           "sweepctl token create NAME --role submit"}) {
    EXPECT_NE(denied.error_message().find(part), std::string::npos) << denied.error_message();
  }
  const auto unknown = ListWorkers("");
  EXPECT_EQ(unknown.error_code(), StatusCode::UNAUTHENTICATED);
  for (const char* part : {"role read", "none was sent", "GRIDSWEEP_TOKEN_FILE"}) {
    EXPECT_NE(unknown.error_message().find(part), std::string::npos) << unknown.error_message();
  }
  EXPECT_EQ(Ask("select count(*) from sweeps"), "0");
}

TEST_F(TokensTest, RevokedAndExpiredTokensAreRefusedWithinSeconds) {
  const std::string revoked = Make("revoked", v1::ROLE_READ);
  const std::string expired = Make("expired", v1::ROLE_READ, absl::Seconds(3));
  const std::string admin = Make("root", v1::ROLE_ADMIN);
  WaitUntilAccepted(revoked);
  WaitUntilAccepted(expired);
  WaitUntilAccepted(admin);
  grpc::ClientContext context;
  v1::RevokeTokenRequest request;
  request.set_name("revoked");
  v1::RevokeTokenResponse response;
  const auto status =
      v1::AdminService::NewStub(As(admin))->RevokeToken(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(response.token().has_revoked_at());
  const auto refused = [&](const std::string& secret) {
    return Within([&] { return ListWorkers(secret).error_code() == StatusCode::UNAUTHENTICATED; });
  };
  EXPECT_TRUE(refused(revoked));
  EXPECT_TRUE(refused(expired));
  EXPECT_TRUE(ListWorkers(admin).ok());
}

TEST_F(TokensTest, ARevokedTokenEndsItsOpenCalls) {
  const std::string ada = Make("ada", v1::ROLE_SUBMIT), eve = Make("eve", v1::ROLE_READ),
                    fleet = Make("fleet", v1::ROLE_WORK);
  for (const auto& secret : {ada, eve, fleet}) WaitUntilAccepted(secret);
  grpc::ClientContext submitting, registering;
  v1::CreateSweepResponse created;
  ASSERT_TRUE(
      v1::SweepService::NewStub(As(ada))->CreateSweep(&submitting, SpecOf(1), &created).ok());
  v1::RegisterRequest introduction;
  introduction.set_name("w");
  introduction.set_host("here");
  introduction.set_slots(1);
  introduction.set_incarnation(RandomBytes(16));
  v1::RegisterResponse registered;
  const auto worker = v1::DispatchService::NewStub(As(fleet));
  ASSERT_TRUE(worker->Register(&registering, introduction, &registered).ok());

  // A stream of each kind, and a call that waits: those of a token that lives, and of two that die.
  v1::WatchSweepRequest watch;
  watch.set_sweep_id(created.sweep().sweep_id());
  v1::StreamLogsRequest follow;
  follow.set_run_id(created.sweep().first_run_id());
  follow.set_follow(true);
  const auto living = v1::SweepService::NewStub(As(ada)),
             dying = v1::SweepService::NewStub(As(eve));
  grpc::ClientContext living_context, watching, following, uploading, waiting;
  const auto lives = living->WatchSweep(&living_context, watch);
  const auto watched = dying->WatchSweep(&watching, watch);
  const auto followed = dying->StreamLogs(&following, follow);
  v1::UploadArtifactResponse uploaded;
  const auto upload = worker->UploadArtifact(&uploading, &uploaded);
  v1::WatchSweepResponse state;
  ASSERT_TRUE(lives->Read(&state));
  ASSERT_TRUE(watched->Read(&state));
  // The only run is leased to it, so that it waits for another.
  const TestWorker w{registered.worker_id(), introduction.incarnation()};
  v1::LeaseRunsResponse leased;
  grpc::ClientContext leasing;
  ASSERT_TRUE(worker->LeaseRuns(&leasing, Asking(w, 1, 0), &leased).ok());
  ASSERT_EQ(leased.leases_size(), 1);
  grpc::Status waited;
  std::thread waiter([&] {
    v1::LeaseRunsResponse none;
    waited = worker->LeaseRuns(&waiting, Asking(w, 1, 30), &none);
  });

  const absl::Time start = absl::Now();
  ASSERT_TRUE(RevokeToken(db_, "eve").ok());
  ASSERT_TRUE(RevokeToken(db_, "fleet").ok());
  while (watched->Read(&state)) {
  }
  v1::StreamLogsResponse lines;
  while (followed->Read(&lines)) {
  }
  for (const grpc::Status& status :
       {watched->Finish(), followed->Finish(), upload->Finish(), (waiter.join(), waited)}) {
    EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED) << status.error_message();
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(15)) << "not when the waiting call was over";
  living_context.TryCancel();
  while (lives->Read(&state)) {
  }
  EXPECT_EQ(lives->Finish().error_code(), StatusCode::CANCELLED) << "by its client, and not before";
}

TEST_F(TokensTest, RefusedCallsAreCountedByReason) {
  coordinator_.reset();
  options_.http.address = "127.0.0.1:0";
  Start();
  const std::string reader = Make("reader", v1::ROLE_READ);
  WaitUntilAccepted(reader);
  const auto counted = [&](const std::string& reason) {
    const auto answer = httplib::Client("http://" + coordinator_->http_address()).Get("/metrics");
    const std::string sample = "gridsweep_refused_calls_total{reason=\"" + reason + "\"} ";
    const size_t at = answer ? answer->body.find(sample) : std::string::npos;
    return at == std::string::npos ? -1 : std::stoi(answer->body.substr(at + sample.size()));
  };
  const int unknown = counted("unknown_token");  // while the gate had not read the token yet
  EXPECT_FALSE(ListWorkers("").ok());
  EXPECT_FALSE(ListWorkers("gridsweep_invented").ok());
  grpc::ClientContext context;
  v1::CreateSweepResponse response;
  EXPECT_FALSE(
      v1::SweepService::NewStub(As(reader))->CreateSweep(&context, SpecOf(1), &response).ok());
  EXPECT_EQ(counted("no_token"), 1);
  EXPECT_EQ(counted("unknown_token"), unknown + 1);
  EXPECT_EQ(counted("role"), 1);
}

TEST_F(TokensTest, OnlyTheHashOfASecretIsStored) {
  const std::string secret = Make("ada", v1::ROLE_READ);
  EXPECT_GE(secret.size(), 64u);
  const std::string row = Ask("select row_to_json(t)::text from tokens t");
  EXPECT_EQ(row.find(secret), std::string::npos);
  EXPECT_EQ(row.find(secret.substr(secret.size() - 16)), std::string::npos);
  EXPECT_EQ(Ask("select encode(sha256, 'hex') from tokens"),
            Ask("select encode(sha256('" + secret + "'), 'hex')"));
  EXPECT_NE(secret, Make("eve", v1::ROLE_READ));
}

TEST_F(TokensTest, ASweepKeepsTheNameOfTheTokenThatSubmittedIt) {
  const std::string secret = Make("grace", v1::ROLE_SUBMIT);
  WaitUntilAccepted(secret);
  grpc::ClientContext context;
  v1::CreateSweepResponse response;
  const auto status =
      v1::SweepService::NewStub(As(secret))->CreateSweep(&context, SpecOf(1), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(Ask("select submitted_by from sweeps"), "grace");
}

class Owners : public TokensTest {
 protected:
  using TokensTest::Ask;
  void SetUp() override {}  // each test starts its own

  grpc::Status Submit(const std::string& secret, int runs, int64_t* id = nullptr) {
    grpc::ClientContext context;
    v1::CreateSweepResponse response;
    auto request = SpecOf(runs);
    const auto status =
        v1::SweepService::NewStub(As(secret))->CreateSweep(&context, request, &response);
    if (id != nullptr) *id = response.sweep().sweep_id();
    return status;
  }
  template <typename Request, typename Response>
  StatusCode Ask(const std::string& secret, int64_t sweep,
                 grpc::Status (v1::SweepService::Stub::*method)(grpc::ClientContext*,
                                                                const Request&, Response*)) {
    Request request;
    request.set_sweep_id(sweep);
    Response response;
    grpc::ClientContext context;
    const auto stub = v1::SweepService::NewStub(As(secret));
    return ((*stub).*method)(&context, request, &response).error_code();
  }
  // What each change of `sweep` by `secret` is answered with; the last deletes it.
  std::vector<StatusCode> ChangeInEveryWay(const std::string& secret, int64_t sweep) {
    using Stub = v1::SweepService::Stub;
    return {Ask(secret, sweep, &Stub::PauseSweep), Ask(secret, sweep, &Stub::ResumeSweep),
            Ask(secret, sweep, &Stub::StopSweep),  Ask(secret, sweep, &Stub::CancelSweep),
            Ask(secret, sweep, &Stub::RetrySweep), Ask(secret, sweep, &Stub::DeleteSweep)};
  }
  const std::vector<StatusCode> all_ok_ = std::vector<StatusCode>(6, StatusCode::OK);
  const std::vector<StatusCode> all_denied_ =
      std::vector<StatusCode>(6, StatusCode::PERMISSION_DENIED);
};

TEST_F(Owners, ASweepIsChangedByItsSubmitterOrAnAdminAlone) {
  Start();
  const std::string ada = Make("ada", v1::ROLE_SUBMIT), eve = Make("eve", v1::ROLE_SUBMIT),
                    root = Make("root", v1::ROLE_ADMIN);
  for (const auto& secret : {ada, eve, root}) WaitUntilAccepted(secret);
  int64_t sweep = 0, other = 0;
  ASSERT_TRUE(Submit(ada, 2, &sweep).ok());
  ASSERT_TRUE(Submit(ada, 2, &other).ok());
  EXPECT_EQ(ChangeInEveryWay(eve, sweep), all_denied_);
  EXPECT_EQ(Ask("select count(*) from run_state where state = 0"), "4") << "and nothing changed";
  EXPECT_EQ(Ask("select count(*) from sweeps where paused_at is not null or stopped_at is not null "
                "or cancelled_at is not null or deleted_at is not null"),
            "0");
  EXPECT_EQ(ChangeInEveryWay(ada, sweep), all_ok_);
  EXPECT_EQ(ChangeInEveryWay(root, other), all_ok_);
  EXPECT_EQ(Ask(eve, 12345, &v1::SweepService::Stub::PauseSweep), StatusCode::NOT_FOUND);
}

TEST_F(Owners, ASuccessorOfTheSameNameOwnsWhatItsNameSubmitted) {
  Start();
  const std::string first = Make("ada", v1::ROLE_SUBMIT);
  WaitUntilAccepted(first);
  int64_t sweep = 0;
  ASSERT_TRUE(Submit(first, 1, &sweep).ok());
  ASSERT_TRUE(RevokeToken(db_, "ada").ok());
  const std::string second = Make("ada", v1::ROLE_SUBMIT);
  WaitUntilAccepted(second);
  EXPECT_EQ(ChangeInEveryWay(second, sweep), all_ok_);
}

TEST_F(Owners, SweepsFromTheTimeBeforeTokensAreTheAdmins) {
  options_.security.tokens = "off";
  Start();
  const int64_t sweep = Create(1).sweep_id(), other = Create(1).sweep_id();
  EXPECT_EQ(ChangeInEveryWay("", other), all_ok_) << "without tokens everybody may do everything";
  coordinator_.reset();
  options_.security.tokens = "required";
  Start();
  const std::string ada = Make("ada", v1::ROLE_SUBMIT), root = Make("root", v1::ROLE_ADMIN);
  for (const auto& secret : {ada, root}) WaitUntilAccepted(secret);
  EXPECT_EQ(ChangeInEveryWay(ada, sweep), all_denied_);
  EXPECT_EQ(ChangeInEveryWay(root, sweep), all_ok_);
}

TEST_F(Owners, SharedSweepsAreChangedByEverySubmitter) {
  options_.submitters.shared_sweeps = true;
  Start();
  const std::string ada = Make("ada", v1::ROLE_SUBMIT), eve = Make("eve", v1::ROLE_SUBMIT);
  for (const auto& secret : {ada, eve}) WaitUntilAccepted(secret);
  int64_t sweep = 0;
  ASSERT_TRUE(Submit(ada, 1, &sweep).ok());
  EXPECT_EQ(ChangeInEveryWay(eve, sweep), all_ok_);
}

TEST_F(Owners, ATokenHasItsQuotaOfSweepsAndRunsAndDeletingMakesRoom) {
  options_.submitters.quota = {.sweeps = 2, .runs = 5};
  Start();
  const std::string ada = Make("ada", v1::ROLE_SUBMIT), eve = Make("eve", v1::ROLE_SUBMIT),
                    root = Make("root", v1::ROLE_ADMIN);
  for (const auto& secret : {ada, eve, root}) WaitUntilAccepted(secret);
  int64_t sweep = 0;
  ASSERT_TRUE(Submit(ada, 3, &sweep).ok());
  const auto refused = Submit(ada, 3);
  EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(refused.error_message().find("6 runs; at most 5 (the coordinators' --quota-runs)"),
            std::string::npos)
      << refused.error_message();
  EXPECT_FALSE(RetryAfter(FromGrpc(refused))) << "waiting does not help";
  ASSERT_TRUE(Submit(ada, 1).ok());
  EXPECT_EQ(Submit(ada, 1).error_code(), StatusCode::RESOURCE_EXHAUSTED) << "a third sweep";
  EXPECT_TRUE(Submit(eve, 5).ok()) << "a quota is a token's";
  EXPECT_TRUE(Submit(root, 6).ok()) << "admins have none";
  EXPECT_EQ(Ask(ada, sweep, &v1::SweepService::Stub::DeleteSweep), StatusCode::OK);
  EXPECT_TRUE(Submit(ada, 4).ok());
}

TEST_F(Owners, ATokenHasItsQuotaOfBytes) {
  options_.submitters.quota = {.bytes = 1000};
  Start();
  const std::string ada = Make("ada", v1::ROLE_SUBMIT);
  WaitUntilAccepted(ada);
  int64_t sweep = 0;
  ASSERT_TRUE(Submit(ada, 2, &sweep).ok());
  ASSERT_TRUE(Submit(ada, 1).ok());
  // Two of its runs have ended with the same file of 990 bytes.
  Query("insert into artifacts (sha256, size, kind) values (sha256('f'), 990, 'result')");
  Query(StrCat(
      "insert into run_results (run_id, sweep_id, token, outcome, artifact, unit_count, steps, "
      "compute_seconds, numerics_id, science_version) select run_id, sweep_id, gen_random_uuid(), "
      "1, sha256('f'), 0, 0, 0, '', 1 from runs where sweep_id = ",
      sweep));
  ASSERT_TRUE(Submit(ada, 1).ok());
  Query("update artifacts set size = 1001");
  const auto refused = Submit(ada, 1);
  EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(refused.error_message().find("--quota-bytes"), std::string::npos)
      << refused.error_message();
}

TEST_F(TokensTest, ALiveNameIsTakenAndADeadOneIsFree) {
  const NewToken ada{"ada", v1::ROLE_READ, std::nullopt, ""};
  ASSERT_EQ(CreateCode(ada), absl::StatusCode::kOk);
  EXPECT_EQ(CreateCode(ada), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(RevokeToken(db_, "ada").ok());
  EXPECT_TRUE(RevokeToken(db_, "ada").ok()) << "revoking again is no error";
  EXPECT_EQ(CreateCode(ada), absl::StatusCode::kOk);
  EXPECT_TRUE(absl::IsNotFound(RevokeToken(db_, "nobody").status()));
  EXPECT_EQ(ListTokens(db_, /*all=*/false)->size(), 1u);
  EXPECT_EQ(ListTokens(db_, /*all=*/true)->size(), 2u);
}

TEST_F(TokensTest, NamesRolesAndTimesThatAreNoneAreRefused) {
  using absl::StatusCode::kInvalidArgument;
  for (const char* name : {"", "a b", "a/b", "ä"}) {
    EXPECT_EQ(CreateCode({name, v1::ROLE_READ, std::nullopt, ""}), kInvalidArgument) << name;
  }
  EXPECT_EQ(CreateCode({std::string(65, 'a'), v1::ROLE_READ, std::nullopt, ""}), kInvalidArgument);
  EXPECT_EQ(CreateCode({"a", v1::ROLE_UNSPECIFIED, std::nullopt, ""}), kInvalidArgument);
  EXPECT_EQ(CreateCode({"a", static_cast<v1::Role>(9), std::nullopt, ""}), kInvalidArgument);
  EXPECT_EQ(CreateCode({"a", v1::ROLE_READ, absl::ZeroDuration(), ""}), kInvalidArgument);
  EXPECT_EQ(CreateCode({"a", v1::ROLE_READ, absl::Seconds(-1), ""}), kInvalidArgument);
  EXPECT_EQ(CreateCode({"a", v1::ROLE_READ, absl::InfiniteDuration(), ""}), kInvalidArgument);
  EXPECT_EQ(Ask("select count(*) from tokens"), "0");
}

TEST_F(TokensTest, TheFirstAdminTokenComesFromTheCommandLine) {
  const auto secret = CreateAdminToken(conninfo_, "root");
  ASSERT_TRUE(secret.ok()) << secret.status();
  WaitUntilAccepted(*secret);
  grpc::ClientContext context;
  v1::CreateTokenRequest request;
  request.set_name("worker-1");
  request.set_role(v1::ROLE_WORK);
  v1::CreateTokenResponse response;
  const auto status =
      v1::AdminService::NewStub(As(*secret))->CreateToken(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.token().created_by(), "root");
}

}  // namespace
}  // namespace gridsweep::coordinator
