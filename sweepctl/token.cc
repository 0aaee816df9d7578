// token create, list, revoke.
#include <ostream>

#include "common/duration.h"
#include "common/method_roles.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

struct CreateOptions {
  std::string name, role, valid_for;
};

Listing TokenListing() {
  Listing listing;
  listing.columns = {{"NAME"}, {"ROLE"}, {"CREATED"}, {"EXPIRES"}, {"REVOKED"}, {"BY"}};
  return listing;
}

void AddToken(Listing& listing, const v1::Token& token) {
  // In the future too, hence as a date.
  const auto date = [](const google::protobuf::Timestamp& time) {
    const std::string text = Time(time).machine;
    return Cell{text, text};
  };
  listing.rows.push_back(
      {Text(token.name()), Text(std::string(RoleName(token.role()))), Time(token.created_at()),
       token.has_expires_at() ? date(token.expires_at()) : Missing(),
       token.has_revoked_at() ? Time(token.revoked_at()) : Missing(), Text(token.created_by())});
  listing.items.push_back(ToJson(token));
  listing.names.push_back(token.name());
}

// "30d", or as Abseil writes durations: "12h", "1h30m".
absl::StatusOr<absl::Duration> ParseValidity(const std::string& text) {
  absl::Duration duration;
  if (const auto days =
          text.ends_with('d') ? ParseId(text.substr(0, text.size() - 1)) : std::nullopt;
      days && *days <= 36'500) {
    return absl::Hours(24) * *days;
  }
  if (!absl::ParseDuration(text, &duration) || duration <= absl::ZeroDuration()) {
    return UsageError(
        StrCat("--valid-for: \"", text, "\" is no duration; write for example 90d or 12h"));
  }
  return duration;
}

absl::Status SecretLost(const std::string& name) {
  return absl::DataLossError(StrCat("the token was made, but its secret could not be written: ",
                                    "`sweepctl token revoke ", name, "`, then make another"));
}

absl::StatusOr<int> Create(Session& session, const CreateOptions& options) {
  v1::CreateTokenRequest request;
  request.set_name(options.name);
  const auto role = ParseRole(options.role);
  if (!role) {
    return UsageError(
        StrCat("--role: \"", options.role, "\" is not one of read, submit, work, admin"));
  }
  request.set_role(*role);
  if (!options.valid_for.empty()) {
    ASSIGN_OR_RETURN(const absl::Duration valid_for, ParseValidity(options.valid_for));
    *request.mutable_valid_for() = ToProto(valid_for);
  }
  if (session.format() == Format::kName) return UsageError("-o name would lose the secret");
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const auto response,
                   client->Call(client->admin(), &v1::AdminService::Stub::CreateToken, request));
  Console& console = session.console();
  if (session.format() == Format::kAuto) {
    console.out << response.secret() << "\n";
    if (!console.out.flush()) return SecretLost(options.name);
    console.err << "Keep it now: it is shown this once, and stored nowhere.\n";
    return kDone;
  }
  Listing listing = TokenListing();
  AddToken(listing, response.token());
  listing.columns.push_back({"SECRET"});
  listing.rows[0].push_back(Text(response.secret()));
  listing.document = ToJson(response);
  listing.items = {*listing.document};
  session.Print(listing);
  return console.out.flush() ? absl::StatusOr<int>(kDone) : SecretLost(options.name);
}

absl::StatusOr<int> List(Session& session, bool all) {
  v1::ListTokensRequest request;
  request.set_all(all);
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const auto response,
                   client->Call(client->admin(), &v1::AdminService::Stub::ListTokens, request));
  Listing listing = TokenListing();
  listing.when_empty = "No tokens. `sweepctl token create NAME --role ROLE` makes one.";
  for (const v1::Token& token : response.tokens()) AddToken(listing, token);
  session.Print(listing);
  return kDone;
}

absl::StatusOr<int> Revoke(Session& session, const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  Listing listing = TokenListing();
  for (const std::string& name : names) {
    v1::RevokeTokenRequest request;
    request.set_name(name);
    ASSIGN_OR_RETURN(const auto response,
                     client->Call(client->admin(), &v1::AdminService::Stub::RevokeToken, request));
    AddToken(listing, response.token());
  }
  session.Print(listing);
  return kDone;
}

}  // namespace

void AddToken(CLI::App& app, Session& session) {
  CLI::App* token = AddVerb(app, "token", "Who may call: bearer tokens and their roles",
                            "sweepctl token create node7 --role work > node7.token");
  token->require_subcommand(1);
  auto options = std::make_shared<CreateOptions>();
  CLI::App* create = AddVerb(*token, "create", "Makes a token and prints its secret, this once",
                             "sweepctl token create ada --role submit --valid-for 90d > ada.token");
  create->add_option("NAME", options->name, "1 to 64 of A-Z a-z 0-9 . _ -")->required();
  create
      ->add_option("--role", options->role,
                   "read: look; submit: and create, stop, delete sweeps; work: what workers need; "
                   "admin: everything")
      ->type_name("read|submit|work|admin")
      ->required();
  create->add_option("--valid-for", options->valid_for, "For example 90d or 12h; default: for ever")
      ->type_name("TIME");
  session.OnRun(create, [&session, options] { return Create(session, *options); });

  CLI::App* list = AddVerb(*token, "list", "Live tokens", "sweepctl token list --all");
  auto all = std::make_shared<bool>(false);
  list->add_flag("-a,--all", *all, "Also revoked and expired ones");
  session.OnRun(list, [&session, all] { return List(session, *all); });

  CLI::App* revoke =
      AddVerb(*token, "revoke", "Refused everywhere within seconds", "sweepctl token revoke node7");
  auto names = std::make_shared<std::vector<std::string>>();
  revoke->add_option("NAME", *names, "Tokens, by name")->required();
  session.OnRun(revoke, [&session, names] { return Revoke(session, *names); });
}

}  // namespace gridsweep::sweepctl
