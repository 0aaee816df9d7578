#include <ostream>

#include "common/printable.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

absl::StatusOr<int> Verify(Session& session, const std::string& name) {
  Console& console = session.console();
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  v1::VerifySweepRequest request;
  request.set_sweep_id(sweep.sweep_id());
  // No deadline: the time it takes grows with the sweep's files.
  grpc::ClientContext context;
  const absl::Time start = absl::Now();
  const auto stream = client->analysis().VerifySweep(&context, request);
  v1::VerifySweepResponse finding;
  int64_t faults = 0, checks = 0;
  Listing listing;
  listing.columns = {{"RESULT"}, {"CHECK"}, {"COUNT", true}, {"RUN", true}, {"MESSAGE"}};
  const Format format = session.format();
  const bool as_it_comes =
      format == Format::kAuto || format == Format::kTable || format == Format::kWide;
  while (stream->Read(&finding)) {
    const bool fault = finding.severity() == v1::VerifySweepResponse::SEVERITY_FAULT;
    (fault ? faults : checks) += 1;
    if (as_it_comes) {
      console.out << (fault ? Styled(console, "31;1", "FAULT    ")
                            : Styled(console, "32", "COUNTED  "))
                  << finding.check();
      if (finding.run_id() > 0) console.out << "  run " << finding.run_id();
      console.out << "  " << WithCommas(finding.count()) << "  " << Printable(finding.message())
                  << "\n";
      console.out.flush();
      continue;
    }
    listing.rows.push_back(
        {Text(fault ? "FAULT" : "COUNTED"), Text(finding.check()), Integer(finding.count()),
         finding.run_id() > 0 ? Number(finding.run_id()) : Missing(), Text(finding.message())});
    listing.items.push_back(ToJson(finding));
    listing.names.push_back(finding.check());
  }
  const absl::Status status = FromGrpc(stream->Finish());
  client->Trace("VerifySweepRequest", start, status);
  if (!as_it_comes) session.Print(listing);
  if (!status.ok()) return client->Explain(status, Server::kAnalysis);
  if (faults == 0 && checks == 0) {
    return absl::InternalError("the server checked nothing: this proves nothing");
  }
  (as_it_comes ? console.out : console.err)
      << "sweep " << sweep.sweep_id() << ": " << checks << " checks, " << faults
      << (faults == 1 ? " fault\n" : " faults\n");
  return faults > 0 ? kFailed : kDone;
}

}  // namespace

void AddVerify(CLI::App& app, Session& session) {
  CLI::App* verb =
      AddVerb(app, "verify", "Prove a sweep from tables and files; exits 1 on any fault",
              "sweepctl verify 3");
  auto sweep = std::make_shared<std::string>();
  verb->add_option("SWEEP", *sweep, "Id or name")->required();
  session.OnRun(verb, [&session, sweep] { return Verify(session, *sweep); });
}

}  // namespace gridsweep::sweepctl
