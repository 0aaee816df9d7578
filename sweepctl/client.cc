#include "sweepctl/client.h"

#include <charconv>
#include <ostream>
#include <sstream>

#include "common/rpc.h"
#include "common/strings.h"
#include "sweepctl/output.h"

namespace gridsweep::sweepctl {
namespace {

// The flag that sets the field at `path` of a request, or "".
std::string_view FlagOf(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kFlags[] = {
      {"where.sweep_ids", "--sweep"},
      {"where.filter", "--filter"},
      {"where.group_by", "--by"},
      {"metric", "--metric"},
      {"of", "--of"},
      {"op", "--op"},
      {"threshold", "--threshold"},
      {"quantiles", "--quantiles"},
      {"page_size", "--top"},
      {"nbins", "--nbins"},
      {"patterns", "--patterns"},
      {"lattice", "--lattice"},
      {"eigenmaps", "--eigenvectors"},
      {"request_id", "--request-id"},
      {"notify_url", "--notify"},
      {"runs", "--runs"},
      {"run_ids", "--run"},
      {"seed", "--seed"}};
  for (const std::string_view above : {"query.", "question."}) {
    if (path.starts_with(above)) path.remove_prefix(above.size());
  }
  for (const auto& [field, flag] : kFlags) {
    // One of several values, and what is below it, are set by the same flag.
    if (path == field || (path.starts_with(field) && path[field.size()] == '[')) return flag;
  }
  return "";
}

// `message` with its fields named by flags.
std::string InFlags(const absl::Status& status) {
  std::string message(status.message());
  for (const auto& [field, description] : FieldViolations(status)) {
    const std::string_view flag = FlagOf(field);
    const size_t at = message.find(StrCat(field, ": ", description));
    if (!flag.empty() && at != std::string::npos) {
      message.replace(at, field.size(), flag.data(), flag.size());
    }
  }
  return message;
}

}  // namespace

Client::Client(const Settings& settings, Console& console, bool verbose)
    : settings_(settings), console_(console), verbose_(verbose) {
  const ClientSecurity security = SecurityOf(settings);
  coordinator_channel_ = Dial(settings.address.value, security);
  analysis_channel_ = settings.analysis_address.value == settings.address.value
                          ? coordinator_channel_
                          : Dial(settings.analysis_address.value, security);
  sweeps_ = v1::SweepService::NewStub(coordinator_channel_);
  admin_ = v1::AdminService::NewStub(coordinator_channel_);
  analysis_ = v1::AnalysisService::NewStub(analysis_channel_);
}

absl::Status Client::Explain(const absl::Status& status, Server server, bool by_flags) const {
  const bool analysis = server == Server::kAnalysis;
  const Setting& address = analysis ? settings_.analysis_address : settings_.address;
  const std::string where = StrCat(analysis ? "analysis" : "the coordinator", " at ", address.value,
                                   " (from ", address.source, ")");
  std::string message = by_flags ? InFlags(status) : std::string(status.message());
  if (status.code() == absl::StatusCode::kUnavailable) {
    message = StrCat("cannot reach ", where, ": ", message,
                     "\n`sweepctl local up` starts everything on this machine; another server is "
                     "chosen by ",
                     analysis ? "--analysis-address or GRIDSWEEP_ANALYSIS_ADDRESS"
                              : "--address or GRIDSWEEP_ADDRESS");
  } else if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    message = StrCat("no answer in time from ", where);
  } else if (status.code() == absl::StatusCode::kUnimplemented) {
    message = StrCat(where, " does not know this call: is it the right server, and as new as ",
                     "this sweepctl? ", message);
  }
  absl::Status explained(status.code(), message);
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    explained.SetPayload(url, payload);
  });
  return explained;
}

void Client::Trace(const std::string& request, absl::Time start, const absl::Status& status) const {
  if (!verbose_) return;
  console_.err << "rpc " << request << ": " << absl::StatusCodeToString(status.code()) << " in "
               << absl::FormatDuration(absl::Trunc(absl::Now() - start, absl::Microseconds(10)))
               << "\n";
}

absl::StatusOr<v1::Sweep> Client::FindSweep(const std::string& id_or_name) {
  v1::GetSweepRequest request;
  if (const auto id = ParseId(id_or_name)) {
    request.set_sweep_id(*id);
  } else {
    request.set_name(id_or_name);
  }
  ASSIGN_OR_RETURN(auto response, Call(sweeps(), &v1::SweepService::Stub::GetSweep, request));
  return std::move(*response.mutable_sweep());
}

absl::StatusOr<std::vector<int64_t>> Client::SweepIds(
    const std::vector<std::string>& ids_or_names) {
  std::vector<int64_t> ids;
  for (const std::string& entry : ids_or_names) {
    std::stringstream list(entry);
    for (std::string one; std::getline(list, one, ',');) {
      ASSIGN_OR_RETURN(const v1::Sweep sweep, FindSweep(one));
      ids.push_back(sweep.sweep_id());
    }
  }
  return ids;
}

std::optional<int64_t> ParseId(const std::string& text) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 0) return std::nullopt;
  return id;
}

}  // namespace gridsweep::sweepctl
