#include "tests/chaos/world.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "common/rpc.h"
#include "common/strings.h"
#include "gridsweep/v1/sweep.grpc.pb.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A worker's grace is 15 s, a coordinator's calls have 8 s.
constexpr seconds kLongestEnd{30};
// As a supervisor would before it starts again what has ended by itself.
constexpr milliseconds kRestartPause{300};
// What a coordinator says that finds no database, or no artifact directory, at its start.
constexpr int kUnavailable = 75;
// How long a new token, or a port that is right again, may take to be known, and a worker that was
// refused to end: it hands in what it has first.
constexpr seconds kRefusalFades{20};
// Whom servers run as where root runs the test, so that a file's permissions mean something.
constexpr char kUser[] = "postgres";
// Two coordinators take 17 each at their busiest, analysis a few.
constexpr int kConnections = 60;

bool Is(const std::string& name, const std::string& kind) { return name.rfind(kind, 0) == 0; }

}  // namespace

std::vector<std::string> World::CoordinatorsOf(int worker) const {
  std::vector<std::string> sockets;
  for (int k = 0; k < shape_.coordinators; ++k) {
    sockets.push_back(Socket(StrCat("coordinator-", (worker + k) % shape_.coordinators)));
  }
  return sockets;
}

World::World(const fs::path& directory, const Shape& shape)
    : directory_(directory),
      shape_(shape),
      disk_(directory / "artifacts", kUser),
      postgres_({StrCat("max_connections=", kConnections)}),
      tokens_(directory, CoordinatorsOf(0)) {
  postgres_.Start();
  database_ = postgres_.CreateDatabase();
  MakePlaces();
  MakeAdmin();
  for (int i = 0; i < shape_.coordinators; ++i) {
    const std::string name = StrCat("coordinator-", i);
    parts_[name] = MakeCoordinator(i);
    Start(name);
    // One after the other: the first makes the artifact directory.
    if (!Within([&] { return Answers(i); })) Complain(StrCat(name, " does not answer"));
  }
  std::vector<std::string>& analysis = parts_["analysis"].words = Server("gridsweep-analysis");
  analysis.insert(analysis.end(),
                  {"--listen", "unix:" + Socket("analysis"), "--database",
                   postgres_.ConnectionOf(database_), "--artifacts", Path("artifacts"), "--tokens",
                   "required"});
  Start("analysis");
  for (int i = 0; i < shape_.workers; ++i) {
    links_.push_back(
        std::make_unique<Link>(Path(StrCat("link-", i, ".sock")), CoordinatorsOf(i)));
    SetClock(i, 0);
    const std::string name = StrCat("worker-", i);
    if (!Within([&] { return tokens_.Replace(i); })) Complain("no token for " + name);
    parts_[name] = MakeWorker(i);
    Start(name);
  }
}

World::~World() {
  for (auto& [name, part] : parts_) part.program.reset();
}

void World::MakePlaces() {
  fs::create_directory(directory_ / "run");
  if (!disk_.mounted()) return;
  const passwd* user = getpwnam(kUser);
  if (chown(Path("run").c_str(), user->pw_uid, user->pw_gid) != 0) std::abort();
  // The build may lie where that user cannot go.
  fs::create_directory(directory_ / "bin");
  for (const char* program : {"gridsweep-coordinator", "gridsweep-analysis",
                              "gridsweep-hdf5-reader"}) {
    fs::copy_file(Binary(program), directory_ / "bin" / program);
  }
}

std::vector<std::string> World::Server(const std::string& program) const {
  if (!disk_.mounted()) return {Binary(program)};
  return {"/usr/bin/setpriv", StrCat("--reuid=", kUser), StrCat("--regid=", kUser), "--init-groups",
          Path("bin/" + program)};
}

void World::MakeAdmin() {
  std::vector<std::string> words = Server("gridsweep-coordinator");
  words.insert(words.end(), {"--create-admin-token", "root", "--database",
                             postgres_.ConnectionOf(database_)});
  const Ran made = Run(words);
  if (made.code != 0) Complain("no admin's token: " + made.err);
  tokens_.SetAdmin(made.out);
}

World::Part World::MakeCoordinator(int i) const {
  Part part;
  part.words = Server("gridsweep-coordinator");
  part.words.insert(
      part.words.end(),
      {"--listen", "unix:" + Socket(StrCat("coordinator-", i)), "--database",
       postgres_.ConnectionOf(database_), "--artifacts", Path("artifacts"), "--tokens", "required",
       "--lease-ttl", StrCat(shape_.lease_ttl.count(), "ms"), "--heartbeat-interval",
       StrCat(shape_.lease_ttl.count() / 4, "ms"), "--backoff-base", "100ms",
       "--artifact-grace", "5s",
       // A worker that is killed three times in a row is no broken machine here.
       "--quarantine-after", "0"});
  return part;
}

World::Part World::MakeWorker(int i) const {
  Part part;
  part.words = {"/usr/bin/env", StrCat("LD_PRELOAD=", GRIDSWEEP_OTHER_CLOCK),
                "GRIDSWEEP_CLOCK=" + Path(StrCat("clock-", i))};
  part.words.insert(
      part.words.end(),
      {Binary("gridsweep-worker"), "--coordinator", "unix:" + Path(StrCat("link-", i, ".sock")),
       "--name", StrCat("w", i), "--slots", StrCat(shape_.slots), "--spool", Path("spool"),
       "--token-file", tokens_.FileOf(i)});
  return part;
}

void World::SetClock(int worker, int64_t seconds) const {
  // In place: the worker has it mapped.
  const int file = open(Path(StrCat("clock-", worker)).c_str(), O_WRONLY | O_CREAT, 0644);
  if (pwrite(file, &seconds, sizeof(seconds), 0) != sizeof(seconds)) std::abort();
  close(file);
}

void World::Start(const std::string& name) {
  Part& part = parts_[name];
  part.down = false;
  part.program = std::make_unique<Program>(part.words, Path(name + ".log"));
}

void World::Note(const std::string& what) {
  const double at = std::chrono::duration<double>(Clock::now() - start_).count();
  char time[32];
  std::snprintf(time, sizeof(time), "%9.3f  ", at);
  std::ofstream(Path("events.log"), std::ios::app) << time << what << "\n";
}

void World::Complain(const std::string& what) {
  Note("FAULT " + what);
  complaints_.push_back(what);
}

bool World::Answers(int coordinator) const {
  ClientSecurity security;
  security.token = tokens_.admin();
  const auto stub = v1::SweepService::NewStub(
      Dial("unix:" + Socket(StrCat("coordinator-", coordinator)), security));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + seconds(10));
  v1::ListSweepsResponse response;
  return stub->ListSweeps(&context, {}, &response).ok();
}

bool World::Restart(const std::string& name, Clock::time_point since) {
  Part& part = parts_[name];
  if (part.program->Running()) {
    if (Clock::now() < since + kLongestEnd) return false;
    Complain(StrCat(name, " did not end within ", kLongestEnd.count(), " s of SIGTERM"));
  } else if (const int code = part.program->Terminate();
             code != 0 && !(code == kUnavailable && Is(name, "coordinator"))) {
    Complain(StrCat(name, " ended with ", code, " at SIGTERM"));
  }
  Start(name);
  return true;
}

void World::BreakProgram(const std::string& name, FaultKind kind, Mend& mend) {
  Part& part = parts_[name];
  switch (kind) {
    case FaultKind::kKillWorker:
    case FaultKind::kKillCoordinator:
      part.down = true;
      part.program->Kill();
      mend.act = [this, name] { return Start(name), true; };
      break;
    case FaultKind::kTerminateWorker:
    case FaultKind::kTerminateCoordinator:
      part.down = true;
      part.program->Signal(SIGTERM);
      mend.act = [this, name, since = Clock::now()] { return Restart(name, since); };
      break;
    default:
      part.program->Signal(SIGSTOP);
      mend.act = [this, name] { return parts_[name].program->Signal(SIGCONT), true; };
  }
}

void World::Exhaust() {
  try {
    for (int i = 0; i < kConnections; ++i) {
      outsiders_.push_back(std::make_unique<pqxx::connection>(
          StrCat(postgres_.ConnectionOf(database_), " connect_timeout=2")));
    }
  } catch (const std::exception&) {
    // That was the last.
  }
  Note(StrCat("  an outsider holds ", outsiders_.size(), " connections"));
}

void World::TerminateBackends(int sessions) {
  Note(StrCat("  ended: ", Sql(StrCat("select count(pg_terminate_backend(pid)) from "
                                      "(select pid from pg_stat_activity where application_name "
                                      "like 'gridsweep%' order by random() limit ",
                                      sessions, ") as s"))));
}

void World::BreakDatabase(const Fault& fault, Mend& mend) {
  switch (fault.kind) {
    case FaultKind::kRestartDatabase:
      postgres_.Stop(PostgresServer::Mode::kFast);
      break;
    case FaultKind::kAbortDatabase:
      postgres_.Stop(PostgresServer::Mode::kImmediate);
      break;
    default:
      postgres_.Crash();
  }
  mend.act = [this] { return postgres_.Start(), true; };
}

void World::BreakLink(const Fault& fault, Mend& mend) {
  Link* const link = links_[static_cast<size_t>(fault.target)].get();
  mend.act = [link] { return link->Set(Link::State::kOpen), true; };
  switch (fault.kind) {
    case FaultKind::kCutWorker:
      return link->Set(Link::State::kCut);
    case FaultKind::kStallWorker:
      return link->Set(Link::State::kStalled);
    case FaultKind::kSlowWorker:
      return link->Set(Link::State::kSlow, fault.amount);
    default:
      link->Lead({Socket("analysis")});
      refused_[StrCat("worker-", fault.target)] = Clock::time_point::max();
      mend.act = [this, link, fault] {
        link->Lead(CoordinatorsOf(fault.target));
        refused_[StrCat("worker-", fault.target)] = Clock::now() + kRefusalFades;
        return true;
      };
  }
}

bool World::BreakToken(const Fault& fault, Mend& mend) {
  const std::string worker = StrCat("worker-", fault.target);
  mend.act = [this, fault, worker] {
    if (!tokens_.Replace(fault.target)) return false;
    refused_[worker] = Clock::now() + kRefusalFades;
    return true;
  };
  refused_[worker] = Clock::time_point::max();
  return fault.kind == FaultKind::kRevokeToken ? tokens_.Revoke(fault.target)
                                               : tokens_.Demote(fault.target);
}

bool World::BreakArtifacts(const Fault& fault, Mend& mend) {
  mend.act = [this, fault] { return disk_.Mend(fault.kind); };
  return disk_.Break(fault);
}

bool World::Break(const Fault& fault) {
  const std::string part = PartOf(fault);
  if (const auto before = mends_.find(part); before != mends_.end()) {
    before->second.due = {};
    return false;
  }
  // Before its first line a program ends by SIGTERM as any does.
  const bool told =
      fault.kind == FaultKind::kTerminateWorker || fault.kind == FaultKind::kTerminateCoordinator;
  if (told && !parts_[part].program->HandlesSignals()) return false;
  Mend mend{Clock::now() + fault.lasts, [] { return true; }};
  if (Is(part, "token") && !BreakToken(fault, mend)) return false;
  if (Is(part, "artifacts") && !BreakArtifacts(fault, mend)) return false;
  Note(Describe(fault));
  if (Is(part, "link")) {
    BreakLink(fault, mend);
  } else if (Is(part, "clock")) {
    SetClock(fault.target, fault.amount);  // stays so until the next
  } else if (Is(part, "database")) {
    BreakDatabase(fault, mend);
  } else if (Is(part, "sessions")) {
    TerminateBackends(fault.amount);
  } else if (Is(part, "connections")) {
    Exhaust();
    mend.act = [this] { return outsiders_.clear(), true; };
  } else if (Is(part, "worker") || Is(part, "coordinator")) {
    BreakProgram(part, fault.kind, mend);
  }
  mends_[part] = std::move(mend);
  return true;
}

std::string World::Excuse(const std::string& name, int code) const {
  if (code == kUnavailable && Is(name, "coordinator")) {
    return "found no database, or no artifact directory, at its start";
  }
  const auto refused = refused_.find(name);
  if (code == 1 && refused != refused_.end() && Clock::now() < refused->second) {
    return "was refused at its start";
  }
  return "";
}

void World::Tick() {
  for (auto it = mends_.begin(); it != mends_.end();) {
    if (Clock::now() >= it->second.due && it->second.act()) {
      it = mends_.erase(it);
    } else {
      ++it;
    }
  }
  for (auto& [name, part] : parts_) {
    if (part.down || part.program->Running()) continue;
    const int code = part.program->Terminate();
    if (const std::string excuse = Excuse(name, code); !excuse.empty()) {
      Note(StrCat("  ", name, " ", excuse));
    } else {
      Complain(StrCat(name, " ended by itself, with ", code));
    }
    part.down = true;
    mends_[name] = {Clock::now() + kRestartPause,
                    [this, name = name] { return Start(name), true; }};
  }
}

void World::Heal() {
  Note("all is mended");
  for (auto& [part, mend] : mends_) mend.due = {};
  if (!Within([&] { return Tick(), mends_.empty(); })) Complain("not all could be mended");
  for (int i = 0; i < shape_.coordinators; ++i) {
    if (!Within([&] { return Tick(), Answers(i); })) {
      Complain(StrCat("coordinator-", i, " does not answer"));
    }
  }
}

void World::Stop() {
  for (const char* kind : {"worker", "analysis", "coordinator"}) {
    for (auto& [name, part] : parts_) {
      if (!Is(name, kind)) continue;
      if (const int code = part.program->Terminate(); code != 0) {
        Complain(StrCat(name, " ended with ", code, " at the end"));
      }
    }
  }
}

Ran World::Sweepctl(std::vector<std::string> arguments) const {
  arguments.insert(arguments.end(), {"--token-file", tokens_.AdminFile()});
  return RunSweepctl(directory_, "unix:" + Socket("coordinator-0"), "unix:" + Socket("analysis"),
                     arguments);
}

std::vector<std::string> World::Spooled() const {
  std::vector<std::string> files;
  std::error_code gone;  // while it is looked at
  for (const auto& entry : fs::recursive_directory_iterator(Path("spool"), gone)) {
    if (entry.is_regular_file(gone)) files.push_back(entry.path());
  }
  return files;
}

}  // namespace gridsweep::testing
