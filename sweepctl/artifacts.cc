// artifacts check: the artifact directory against the database.
#include <ostream>

#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

// "file without row".
std::string KindText(v1::ArtifactFault::Kind kind) {
  switch (kind) {
    case v1::ArtifactFault::KIND_FILE_WITHOUT_ROW:
      return "file without row";
    case v1::ArtifactFault::KIND_ROW_WITHOUT_FILE:
      return "row without file";
    case v1::ArtifactFault::KIND_UNNAMED:
      return "unnamed";
    case v1::ArtifactFault::KIND_SIZE_DIFFERS:
      return "size differs";
    case v1::ArtifactFault::KIND_UNFINISHED:
      return "unfinished";
    case v1::ArtifactFault::KIND_STRAY:
      return "stray";
    default:
      return "unknown";
  }
}

void AddFault(Listing& listing, const v1::ArtifactFault& fault) {
  const std::string& name = fault.sha256().empty() ? fault.path() : fault.sha256();
  listing.rows.push_back({Text(KindText(fault.kind())), Text(name),
                          Integer(static_cast<int64_t>(fault.size())),
                          fault.run_id() == 0 ? Missing() : Number(fault.run_id()),
                          Text(fault.repaired() ? "yes" : "no"), Text(fault.remedy())});
  listing.items.push_back(ToJson(fault));
  listing.names.push_back(name);
}

absl::StatusOr<int> Check(Session& session, bool repair) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  Listing listing;
  listing.columns = {{"FAULT"},       {"ARTIFACT"}, {"BYTES", true},
                     {"RUN", true},   {"REPAIRED"}, {"REMEDY"}};
  uint64_t files = 0, rows = 0, left = 0;
  v1::CheckArtifactsRequest request;
  request.set_repair(repair);
  do {
    ASSIGN_OR_RETURN(const auto page,
                     client->Call(client->admin(), &v1::AdminService::Stub::CheckArtifacts,
                                  request));
    files += page.files();
    rows += page.rows();
    for (const v1::ArtifactFault& fault : page.faults()) {
      AddFault(listing, fault);
      left += fault.repaired() ? 0 : 1;
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  session.Print(listing);
  session.console().err << WithCommas(static_cast<int64_t>(files)) << " files, "
                        << WithCommas(static_cast<int64_t>(rows)) << " rows: "
                        << WithCommas(static_cast<int64_t>(listing.rows.size())) << " faults, "
                        << WithCommas(static_cast<int64_t>(listing.rows.size() - left))
                        << " repaired\n";
  return left == 0 ? kDone : kFailed;
}

}  // namespace

void AddArtifacts(CLI::App& app, Session& session) {
  CLI::App* artifacts = AddVerb(app, "artifacts", "The directory of result files",
                                "sweepctl artifacts check");
  artifacts->require_subcommand(1);
  auto repair = std::make_shared<bool>(false);
  CLI::App* check = AddVerb(*artifacts, "check",
                            "Compares the directory with the database, in both directions; exits 1 "
                            "where faults are left",
                            "sweepctl artifacts check --repair");
  check->add_flag("--repair", *repair,
                  "Leave files that nothing names to the collector, remove uploads that broke off, "
                  "forget checkpoints whose file is lost");
  session.OnRun(check, [&session, repair] { return Check(session, *repair); });
}

}  // namespace gridsweep::sweepctl
