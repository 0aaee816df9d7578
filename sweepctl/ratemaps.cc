#include <absl/strings/str_format.h>

#include <ostream>

#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/file_output.h"
#include "sweepctl/selection.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

struct Options {
  SelectionFlags where;
  std::string metric = "grid_score_60";
  uint32_t top = 16;
  uint32_t nbins = 0;
  std::string out = "ratemaps.png";
  bool autocorrelogram = false;
};

absl::StatusOr<int> Ratemaps(Session& session, const Options& options) {
  Console& console = session.console();
  if (options.out == "-" && console.out_terminal) {
    return UsageError("--out -: a PNG is not for a terminal; give a file or a pipe");
  }
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  v1::GetRatemapsRequest request;
  auto* query = request.mutable_query();
  ASSIGN_OR_RETURN(*query->mutable_where(), MakeSelection(*client, options.where));
  query->set_metric(options.metric);
  query->set_page_size(options.top);
  request.set_format(v1::GetRatemapsRequest::FORMAT_PNG_SHEET);
  request.set_nbins(options.nbins);
  request.set_with_autocorrelogram(options.autocorrelogram);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(5)));
  const absl::Time start = absl::Now();
  const auto stream = client->analysis().GetRatemaps(&context, request);
  std::string png;
  v1::GetRatemapsResponse part;
  while (stream->Read(&part)) png += part.png_chunk();
  const absl::Status status = FromGrpc(stream->Finish());
  client->Trace("GetRatemapsRequest", start, status);
  if (!status.ok()) return client->Explain(status, Server::kAnalysis);
  if (png.empty()) {
    return absl::NotFoundError(
        "no unit of the selection has a score and a stored ratemap; is the sweep done? "
        "See `sweepctl get units`");
  }
  if (options.out == "-") {
    console.out << png;
    return kDone;
  }
  RETURN_IF_ERROR(WriteFileWhole(options.out, png));
  Listing listing;
  listing.columns = {{"FILE"}, {"BYTES", true}};
  listing.rows = {{Text(options.out), Integer(static_cast<int64_t>(png.size()))}};
  listing.document = {{"file", options.out}, {"bytes", png.size()}};
  listing.items = {*listing.document};
  listing.names = {options.out};
  session.Print(listing);
  return kDone;
}

}  // namespace

void AddRatemaps(CLI::App& app, Session& session) {
  CLI::App* verb = AddVerb(app, "ratemaps", "Draw the ratemaps of the best units as one PNG sheet",
                           "sweepctl ratemaps --sweep 3 --by readout --top 8 --out best.png");
  auto options = std::make_shared<Options>();
  AddSelectionFlags(*verb, options->where, true);
  verb->add_option("--metric", options->metric, "Metric that says which are best")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--top", options->top, "Units, of each group")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_option("--nbins", options->nbins, "Bins a side: 44, 32 or 20")
      ->type_name("N")
      ->check(CLI::IsMember({44, 32, 20}));
  verb->add_flag("--autocorrelogram", options->autocorrelogram, "Draw autocorrelograms too");
  verb->add_option("--out", options->out, "File to write; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  session.OnRun(verb, [&session, options] { return Ratemaps(session, *options); });
}

}  // namespace gridsweep::sweepctl
