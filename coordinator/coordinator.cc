#include "coordinator/coordinator.h"

#include "common/log.h"
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
    : metrics_("coordinator", options.version),
      counters_(metrics_),
      calls_(metrics_,
             [this](const grpc::Status& status) {
               if (IsLeaseLost(FromGrpc(status))) counters_.fenced_writes.Increment();
             }),
      refused_(metrics_),
      reader_(options.reader),
      lanes_(std::make_unique<Lanes>(options.database, counters_)),
      matcher_(lanes_->claims, options.dispatch.lease_ttl, options.poll),
      hub_({options.database}, board_, options.dispatch.longest_silence),
      logs_({options.database, absl::Seconds(10), /*lazy_commit=*/true}, board_, counters_,
            options.dispatch.longest_silence) {}

absl::StatusOr<std::unique_ptr<Coordinator>> Coordinator::Start(const Options& options) {
  RETURN_IF_ERROR(CheckSecurity(options.listen, options.security));
  std::string instance;
  bool has_artifacts = false;
  {
    Database database({options.database});
    RETURN_IF_ERROR(Migrate(database, EmbeddedMigrations()));
    RETURN_IF_ERROR(GrantRoles(database));
    ASSIGN_OR_RETURN(instance, InstanceId(database));
    ASSIGN_OR_RETURN(has_artifacts, HasArtifacts(database));
  }
  // Where files were stored before there is a directory: an empty one is a mount point without its
  // file system, and what would be stored there is lost to all others.
  const auto open = [&, directory = options.artifacts] {
    return OpenArtifactDirectory(directory, instance, /*create=*/!has_artifacts);
  };
  ASSIGN_OR_RETURN(auto artifacts, open());
  ASSIGN_OR_RETURN(std::shared_ptr<ArtifactStore> probed, open());
  auto c = std::unique_ptr<Coordinator>(new Coordinator(options));
  c->artifacts_ = std::move(artifacts);
  c->disk_ = std::make_unique<PatientProbe>(options.disk, "the artifact directory",
                                            [probed] { return probed->Probe(); });
  c->background_ = std::make_unique<Background>(
      Background::Settings{{options.database, absl::Seconds(10)},
                           options.dispatch.lease_ttl,
                           options.dispatch.failures,
                           options.tick,
                           options.count_every,
                           options.artifact_grace,
                           [disk = c->disk_.get()] { return disk->Last().ok(); }},
      c->board_, *c->artifacts_, c->counters_,
      [matcher = &c->matcher_](const NewWork& work) { matcher->Wake(work); });
  c->notifier_ = std::make_unique<Notifier>(Database::Settings{options.database, absl::Seconds(30)},
                                            options.notices);
  if (TokensRequired(options.listen, options.security)) {
    auto database =
        std::make_shared<Database>(Database::Settings{options.database, kTokenReadTimeout});
    c->gate_ = std::make_shared<TokenGate>([database] { return LoadLiveTokens(*database); },
                                           absl::Seconds(1), &c->refused_);
  }
  c->lanes_->general.KnowTokens(c->gate_.get());
  c->lanes_->expand.KnowTokens(c->gate_.get());
  const auto work_appeared = [background = c->background_.get()](const NewWork& work) {
    background->TellOf(work);
  };
  c->sweeps_ = std::make_unique<SweepService>(c->lanes_->general, c->lanes_->expand, c->board_,
                                              c->hub_, c->logs_, c->counters_, work_appeared,
                                              c->gate_.get(), options.submitters);
  c->dispatch_ =
      std::make_unique<DispatchService>(DispatchParts{*c->lanes_, c->matcher_, c->board_,
                                                      *c->artifacts_, c->counters_, work_appeared,
                                                      c->reader_.get()},
                                        options.dispatch);
  c->admin_ = std::make_unique<AdminService>(c->lanes_->general, options.dispatch.lease_ttl,
                                             work_appeared, c->gate_.get(), *c->artifacts_,
                                             options.artifact_grace);
  ASSIGN_OR_RETURN(
      c->server_,
      RpcServer::Start(options.listen, {c->sweeps_.get(), c->dispatch_.get(), c->admin_.get()},
                       options.security, c->gate_, &c->calls_));
  c->readiness_ = std::make_unique<Readiness>(
      options.readiness,
      [&counters = c->counters_, disk = c->disk_.get(), ttl = options.dispatch.lease_ttl,
       database = std::make_shared<Database>(
           Database::Settings{options.database, absl::Seconds(5)}),
       next = absl::InfinitePast()]() mutable -> absl::Status {
        const absl::Time start = absl::Now();
        if (start < next) {
          RETURN_IF_ERROR(Ping(*database));
          return disk->Last();
        }
        ASSIGN_OR_RETURN(const Vitals vitals, ReadVitals(*database, ttl));
        counters.Show(vitals);
        // However many dead rows it passes: at most a hundredth of a connection.
        next = absl::Now() + 100 * (absl::Now() - start);
        return disk->Last();
      },
      [server = c->server_.get()](const absl::Status& now) {
        if (!now.ok()) spdlog::error("not ready: {}", std::string(now.message()));
        server->SetReady(now.ok());
      });
  ASSIGN_OR_RETURN(c->door_, HttpDoor::Start(options.http, c->metrics_,
                                             [r = c->readiness_.get()] { return r->Status(); }));
  return c;
}

Coordinator::~Coordinator() {
  if (lanes_ != nullptr) Drain(absl::Seconds(1));
}

void Coordinator::Drain(absl::Duration grace) {
  if (readiness_ != nullptr) readiness_->Drain();
  if (server_ != nullptr) server_->SetNotServing();
  lanes_->expand.Hurry();
  matcher_.Drain();
  hub_.Drain();
  logs_.Drain();
  if (server_ != nullptr) server_->Shutdown(grace);
  // What was accepted is finished; its parts are all still there.
  lanes_.reset();
}

}  // namespace gridsweep::coordinator
