#include "coordinator/coordinator.h"

#include "common/status.h"
#include "coordinator/store/migrations.h"
#include "coordinator/store/roles.h"
#include "coordinator/store/runs.h"
#include "coordinator/store/tokens.h"

namespace gridsweep::coordinator {
namespace {

// A database that does not answer must not keep revocations waiting for long.
constexpr absl::Duration kTokenReadTimeout = absl::Seconds(5);

}  // namespace

absl::StatusOr<std::string> CreateAdminToken(const std::string& database_name,
                                             const std::string& name) {
  Database database({database_name});
  RETURN_IF_ERROR(Migrate(database, EmbeddedMigrations()));
  ASSIGN_OR_RETURN(auto created,
                   CreateToken(database, {name, v1::ROLE_ADMIN, std::nullopt, "the command line"}));
  return std::move(created.secret);
}

Coordinator::Coordinator(const Options& options)
    : lanes_(std::make_unique<Lanes>(options.database)),
      matcher_(lanes_->claims, options.dispatch.lease_ttl),
      hub_({options.database}, board_) {}

absl::StatusOr<std::unique_ptr<Coordinator>> Coordinator::Start(const Options& options) {
  RETURN_IF_ERROR(CheckSecurity(options.listen, options.security));
  std::string instance;
  {
    Database database({options.database});
    RETURN_IF_ERROR(Migrate(database, EmbeddedMigrations()));
    RETURN_IF_ERROR(GrantRoles(database));
    ASSIGN_OR_RETURN(instance, InstanceId(database));
  }
  ASSIGN_OR_RETURN(auto artifacts,
                   OpenArtifactDirectory(options.artifacts, instance, /*create=*/true));
  auto c = std::unique_ptr<Coordinator>(new Coordinator(options));
  c->artifacts_ = std::move(artifacts);
  c->background_ = std::make_unique<Background>(
      Background::Settings{{options.database, absl::Seconds(10)},
                           options.dispatch.lease_ttl,
                           options.dispatch.failures,
                           options.tick},
      c->board_, *c->artifacts_, [matcher = &c->matcher_] { matcher->Wake(); });
  if (TokensRequired(options.listen, options.security)) {
    auto database =
        std::make_shared<Database>(Database::Settings{options.database, kTokenReadTimeout});
    c->gate_ = std::make_shared<TokenGate>([database] { return LoadLiveTokens(*database); });
  }
  const auto work_appeared = [background = c->background_.get()] { background->WorkAppeared(); };
  c->sweeps_ = std::make_unique<SweepService>(c->lanes_->general, c->board_, c->hub_, work_appeared,
                                              c->gate_.get());
  c->dispatch_ = std::make_unique<DispatchService>(
      DispatchParts{*c->lanes_, c->matcher_, c->board_, *c->artifacts_, work_appeared},
      options.dispatch);
  c->admin_ = std::make_unique<AdminService>(c->lanes_->general, options.dispatch.lease_ttl,
                                             work_appeared, c->gate_.get());
  ASSIGN_OR_RETURN(
      c->server_,
      RpcServer::Start(options.listen, {c->sweeps_.get(), c->dispatch_.get(), c->admin_.get()},
                       options.security, c->gate_));
  return c;
}

Coordinator::~Coordinator() {
  if (lanes_ != nullptr) Drain(absl::Seconds(1));
}

void Coordinator::Drain(absl::Duration grace) {
  if (server_ != nullptr) server_->SetNotServing();
  matcher_.Drain();
  hub_.Drain();
  if (server_ != nullptr) server_->Shutdown(grace);
  // What was accepted is finished; its parts are all still there.
  lanes_.reset();
}

}  // namespace gridsweep::coordinator
