#include <filesystem>
#include <ostream>

#include "common/printable.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/file_output.h"
#include "sweepctl/selection.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

struct Options {
  std::string figure;
  SelectionFlags where;
  std::string out;
};

// By the name of the file to write; the document for standard output.
absl::StatusOr<v1::RenderFigureRequest::Format> FormatOf(const std::string& out) {
  const std::string ending = std::filesystem::path(out).extension().string();
  if (out == "-" || ending == ".json") return v1::RenderFigureRequest::FORMAT_VEGA_LITE;
  if (ending == ".svg") return v1::RenderFigureRequest::FORMAT_SVG;
  if (ending == ".png") return v1::RenderFigureRequest::FORMAT_PNG;
  return UsageError(StrCat("-o ", out, ": the name must end in .json (Vega-Lite), .svg or .png"));
}

absl::StatusOr<int> Figure(Session& session, const Options& options) {
  Console& console = session.console();
  const std::string out = options.out.empty() ? options.figure + ".svg" : options.out;
  v1::RenderFigureRequest request;
  ASSIGN_OR_RETURN(const auto format, FormatOf(out));
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  request.set_figure(options.figure);
  request.set_format(format);
  ASSIGN_OR_RETURN(*request.mutable_where(), MakeSelection(*client, options.where));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(10)));
  const absl::Time start = absl::Now();
  const auto stream = client->analysis().RenderFigure(&context, request);
  std::string bytes;
  v1::FigureHeader header;
  v1::RenderFigureResponse part;
  while (stream->Read(&part)) {
    if (part.has_header()) header = part.header();
    bytes += part.chunk();
  }
  const absl::Status status = FromGrpc(stream->Finish());
  client->Trace("RenderFigureRequest", start, status);
  if (!status.ok()) return client->Explain(status, Server::kAnalysis);
  if (out == "-") {
    console.out << bytes << "\n";
    return kDone;
  }
  RETURN_IF_ERROR(WriteFileWhole(out, bytes));
  console.err << Printable(header.title()) << "\n";
  for (const auto& note : header.notes()) console.err << "  " << Printable(note) << "\n";
  Listing listing;
  listing.columns = {{"FILE"}, {"BYTES", true}};
  listing.rows = {{Text(out), Integer(static_cast<int64_t>(bytes.size()))}};
  listing.document = ToJson(header);
  (*listing.document)["file"] = out;
  (*listing.document)["bytes"] = bytes.size();
  listing.items = {*listing.document};
  listing.names = {out};
  session.Print(listing);
  return kDone;
}

}  // namespace

void AddFigure(CLI::App& app, Session& session) {
  CLI::App* verb = AddVerb(app, "figure", "Draw a panel of the poster from what is stored",
                           "sweepctl figure p01 --sweep p01-small -o p01.png\n"
                           "  sweepctl figure p04 --sweep p04-small -o p04.json\n"
                           "  sweepctl figure p06 --filter 'activation = \"relu\"'");
  auto options = std::make_shared<Options>();
  verb->add_option("PANEL", options->figure, "p01 to p12")->required();
  AddSelectionFlags(*verb, options->where, false);
  verb->add_option("-o,--out", options->out,
                   "File to write: .json is the Vega-Lite document with its data inside, .svg and "
                   ".png a picture; - is the document on standard output; PANEL.svg by default")
      ->type_name("FILE");
  session.OnRun(verb, [&session, options] { return Figure(session, *options); });
}

}  // namespace gridsweep::sweepctl
