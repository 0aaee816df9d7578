#include "sweepctl/local_state.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/strings.h"
#include "sweepctl/config.h"
#include "sweepctl/file_output.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;

fs::path Pointer() {
  return XdgDirectory("XDG_STATE_HOME", ".local/state") / "gridsweep" / "local";
}

}  // namespace

LocalPiece* LocalState::Find(const std::string& name) {
  for (auto& piece : pieces) {
    if (piece.name == name) return &piece;
  }
  return nullptr;
}

fs::path DefaultDataDirectory() {
  return XdgDirectory("XDG_DATA_HOME", ".local/share") / "gridsweep";
}

fs::path StateFile(const fs::path& data) { return data / "local.json"; }

absl::StatusOr<std::optional<LocalState>> ReadLocalState(const fs::path& data) {
  std::ifstream in(StateFile(data));
  if (!in) return std::nullopt;
  try {
    const auto json = nlohmann::json::parse(in);
    LocalState state;
    state.data = json.at("data");
    state.boot_id = json.at("boot_id");
    state.address = json.at("address");
    state.analysis_address = json.at("analysis_address");
    state.database = json.at("database");
    state.slots = json.at("slots");
    state.complete = json.at("complete");
    for (const auto& piece : json.at("pieces")) {
      state.pieces.push_back(
          {piece.at("name"), {piece.at("pid"), piece.at("start_ticks")}, piece.at("log")});
    }
    return state;
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(StrCat(StateFile(data).string(), ": ", error.what()));
  }
}

absl::Status WriteLocalState(const LocalState& state) {
  nlohmann::ordered_json json = {
      {"data", state.data},         {"boot_id", state.boot_id},
      {"address", state.address},   {"analysis_address", state.analysis_address},
      {"database", state.database}, {"slots", state.slots},
      {"complete", state.complete}};
  json["pieces"] = nlohmann::ordered_json::array();
  for (const auto& piece : state.pieces) {
    json["pieces"].push_back({{"name", piece.name},
                              {"pid", piece.process.pid},
                              {"start_ticks", piece.process.start_ticks},
                              {"log", piece.log}});
  }
  return WriteFileWhole(StateFile(state.data).string(), json.dump(2) + "\n");
}

void RemoveLocalState(const fs::path& data) {
  std::error_code ignored;
  fs::remove(StateFile(data), ignored);
}

fs::path ChooseDataDirectory() {
  if (const auto given = Environment("GRIDSWEEP_DATA")) return fs::absolute(*given);
  std::ifstream in(Pointer());
  std::string remembered;
  if (std::getline(in, remembered) && !remembered.empty()) {
    std::error_code ignored;
    if (fs::exists(remembered, ignored)) return remembered;
  }
  return DefaultDataDirectory();
}

void RememberDataDirectory(const fs::path& data) {
  std::error_code ignored;
  fs::create_directories(Pointer().parent_path(), ignored);
  // A convenience: without it --data must be given.
  (void)WriteFileWhole(Pointer().string(), data.string() + "\n");
}

std::optional<LocalState> FindLocalState() {
  auto state = ReadLocalState(ChooseDataDirectory());
  if (!state.ok() || !*state || !(*state)->IsOfThisBoot()) return std::nullopt;
  return **state;
}

std::string CrashReport(const LocalState& state) {
  std::string report;
  for (const auto& piece : state.pieces) {
    if (IsAlive(piece.process)) continue;
    if (!report.empty()) report += "\n";
    report += StrCat("the local instance's ", piece.name, " (pid ", piece.process.pid,
                     ") has died; the end of ", piece.log, ":\n", LogTail(piece.log, 5));
  }
  if (!report.empty()) {
    report += StrCat("\n`sweepctl local up` starts it again (data: ", state.data, ")");
  }
  return report;
}

}  // namespace gridsweep::sweepctl
