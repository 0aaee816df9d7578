// The dependency rule: who may include whom. Read from the sources themselves.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Longest prefix first wins: "science/config" before "science".
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"common", {"common", "proto"}},
    {"db", {"db"}},
    {"hdf5", {"hdf5", "common"}},
    {"science/config", {"science/config"}},
    {"science/scoring", {"science/config", "science/scoring"}},
    {"science/integrator", {"science/config", "science/integrator"}},
    {"science/theory",
     {"science/config", "science/integrator", "science/scoring", "science/theory"}},
    {"sweepspec", {"sweepspec", "proto", "common", "science/config"}},
    {"coordinator",
     {"coordinator", "proto", "common", "db", "hdf5", "sweepspec", "science/config"}},
    {"worker",
     {"worker", "proto", "common", "hdf5", "sweepspec", "science/config", "science/scoring",
      "science/integrator"}},
    {"analysis",
     {"analysis", "proto", "common", "db", "hdf5", "sweepspec", "science/config", "science/scoring",
      "science/theory"}},
    {"sweepctl",
     {"sweepctl", "proto", "common", "hdf5", "sweepspec", "science/config", "science/scoring"}},
};

// What science/theory may know of the integrator: the parts that link without LibTorch.
const std::set<std::string> kWithoutLibTorch = {"science/integrator/philox.h",
                                                "science/integrator/readout.h"};

struct Line {
  std::string file;  // relative to the source root
  int number;
  std::string text;
};

// The room of a path, "" for a system header.
std::string RoomOf(const std::string& path) {
  if (path.rfind("gridsweep/v1/", 0) == 0 || path.rfind("google/rpc/", 0) == 0 ||
      path.rfind("grpc/reflection/", 0) == 0) {
    return "proto";
  }
  for (const auto& [room, allowed] : kMayInclude) {
    if (path.rfind(room + "/", 0) == 0) return room;
  }
  return "";
}

// Faults of one source line, each as a sentence.
std::vector<std::string> Faults(const Line& line) {
  static const std::regex include(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  static const std::regex sql(R"re("\s*(select|insert into|update|delete from|with \w+ as)\s)re",
                              std::regex::icase);
  std::vector<std::string> faults;
  const std::string where = line.file + ":" + std::to_string(line.number) + ": ";
  const std::string room = RoomOf(line.file);
  const bool store =
      line.file.rfind("coordinator/store/", 0) == 0 || line.file.rfind("analysis/queries/", 0) == 0;
  if (std::smatch match; std::regex_search(line.text, match, include)) {
    const std::string path = match[1];
    const std::string target = RoomOf(path);
    if (!target.empty() && kMayInclude.at(room).count(target) == 0) {
      faults.push_back(where + room + " may not include " + path);
    }
    if (room == "science/theory" && target == "science/integrator" &&
        kWithoutLibTorch.count(path) == 0) {
      faults.push_back(where + "of the integrator, science/theory knows the readout alone");
    }
    const bool torch =
        path.rfind("torch/", 0) == 0 || path.rfind("ATen/", 0) == 0 || path.rfind("c10/", 0) == 0;
    if (torch && room != "science/integrator") {
      faults.push_back(where + "LibTorch belongs to science/integrator");
    }
    if (torch && line.file == "science/integrator/trainer.h") {
      faults.push_back(where + "trainer.h must not show LibTorch to who includes it");
    }
    if (path.rfind("pqxx", 0) == 0 && !store && room != "db") {
      faults.push_back(where + "SQL belongs to coordinator/store and analysis/queries");
    }
    if (path == "hdf5.h" && room != "hdf5" && line.file != "worker/hdf5_file.cc") {
      faults.push_back(where + "HDF5 is read by hdf5/ alone, and written by worker/hdf5_file.cc");
    }
    if (path.rfind("grpc", 0) == 0 && room.rfind("science", 0) == 0) {
      faults.push_back(where + "science speaks no gRPC");
    }
  } else if (!store && std::regex_search(line.text, sql)) {
    faults.push_back(where + "SQL belongs to coordinator/store and analysis/queries");
  }
  return faults;
}

std::vector<Line> SourceLines() {
  std::vector<Line> lines;
  const fs::path root = GRIDSWEEP_SOURCE_DIR;
  for (const auto& [room, allowed] : kMayInclude) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      std::ifstream in(entry.path());
      int number = 0;
      for (std::string text; std::getline(in, text);) {
        lines.push_back({fs::relative(entry.path(), root), ++number, text});
      }
    }
  }
  return lines;
}

TEST(DependencyRule, NoRoomIncludesWhatItMayNot) {
  const auto lines = SourceLines();
  ASSERT_GT(lines.size(), 1000u) << "the sources were not found";
  for (const Line& line : lines) {
    for (const std::string& fault : Faults(line)) ADD_FAILURE() << fault;
  }
}

TEST(DependencyRule, PlantedFaultsAreFound) {
  const std::vector<Line> planted = {
      {"common/x.h", 1, "#include \"coordinator/store/store.h\""},
      {"science/scoring/x.cc", 1, "#include \"gridsweep/v1/sweep.pb.h\""},
      {"science/scoring/x.cc", 1, "#include <grpcpp/grpcpp.h>"},
      {"science/config/x.cc", 1, "#include \"common/status.h\""},
      {"worker/x.cc", 1, "#include \"coordinator/matcher.h\""},
      {"worker/x.cc", 1, "#include <torch/torch.h>"},
      {"analysis/x.cc", 1, "#include <hdf5.h>"},
      {"hdf5/x.cc", 1, "#include \"analysis/service.h\""},
      {"science/integrator/trainer.h", 1, "#include <torch/types.h>"},
      {"sweepctl/x.cc", 1, "#include <pqxx/pqxx>"},
      {"db/x.cc", 1, "  run(\"select 1 from runs\");"},
      {"db/x.cc", 1, "#include \"common/strings.h\""},
      {"worker/x.cc", 1, "  run(\"select 1 from runs\");"},
      {"sweepctl/x.cc", 1, "#include \"science/integrator/trainer.h\""},
      {"science/theory/x.cc", 1, "#include \"science/integrator/network.h\""},
      {"science/scoring/x.cc", 1, "#include \"science/theory/ring.h\""},
  };
  for (const Line& line : planted) EXPECT_FALSE(Faults(line).empty()) << line.text;
  const std::vector<Line> fine = {
      {"worker/x.cc", 1, "#include \"science/integrator/trainer.h\""},
      {"coordinator/store/x.cc", 1, "#include <pqxx/pqxx>"},
      {"analysis/queries/x.cc", 1, "  run(\"select 1 from runs\");"},
      {"hdf5/x.cc", 1, "#include <hdf5.h>"},
      {"sweepspec/x.h", 1, "#include \"gridsweep/v1/config.pb.h\""},
      {"science/theory/x.cc", 1, "#include \"science/integrator/readout.h\""},
  };
  for (const Line& line : fine) EXPECT_TRUE(Faults(line).empty()) << line.text;
}

std::string TextOf(const fs::path& path) {
  std::ifstream in(fs::path(GRIDSWEEP_SOURCE_DIR) / path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(House, EachAlarmAndItsMetricsAreExplained) {
  const std::string rules = TextOf("deploy/prometheus/alerts.yaml");
  const std::string docs = TextOf("docs/operations.md");
  const std::regex named(R"(alert: (\w+)|\b((gridsweep|grpc|pg)_\w+?)(_bucket|_count)?\b[\[{)])");
  int alarms = 0;
  for (std::sregex_iterator it(rules.begin(), rules.end(), named), end; it != end; ++it) {
    const std::string name = (*it)[1].matched ? (*it)[1] : (*it)[2];
    alarms += (*it)[1].matched;
    // Calls stand there as grpc_server_call_*.
    const bool call = name.rfind("grpc_server_call_", 0) == 0;
    EXPECT_NE(docs.find(call ? "grpc_server_call_" : name), std::string::npos) << name;
  }
  EXPECT_GE(alarms, 12);
}

TEST(House, EachRoomSaysWhatItOwns) {
  for (const char* room :
       {"proto", "common", "db", "hdf5", "science", "science/config", "science/integrator",
        "science/scoring", "science/theory", "sweepspec", "coordinator", "coordinator/store",
        "worker", "analysis", "analysis/queries", "sweepctl", "sweeps", "bench", "tests", "docs"}) {
    EXPECT_TRUE(fs::exists(fs::path(GRIDSWEEP_SOURCE_DIR) / room / "README.md")) << room;
  }
}

}  // namespace
