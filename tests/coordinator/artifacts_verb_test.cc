// sweepctl artifacts check, at a coordinator.
#include <filesystem>
#include <fstream>

#include "tests/coordinator/server_fixture.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::coordinator {
namespace {

namespace fs = std::filesystem;

class ArtifactsVerb : public ServerTest {
 protected:
  sweepctl::Ran Check(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"--address", coordinator_->address(), "artifacts", "check"};
    args.insert(args.end(), more.begin(), more.end());
    return sweepctl::RunCaptured(args);
  }
};

TEST_F(ArtifactsVerb, ExitsWithOneUntilNothingIsLeft) {
  EXPECT_EQ(Check().code, 0);
  const std::string hex = ToHex(Sha256::Of("orphan"));
  const fs::path path =
      fs::path(directory_) / "artifacts" / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5");
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "orphan";
  const sweepctl::Ran found = Check();
  EXPECT_EQ(found.code, 1) << found.err;
  EXPECT_NE(found.out.find("file without row\t" + hex), std::string::npos) << found.out;
  EXPECT_NE(found.err.find("1 files, 0 rows: 1 faults, 0 repaired"), std::string::npos)
      << found.err;
  const sweepctl::Ran repaired = Check({"--repair"});
  EXPECT_EQ(repaired.code, 0) << repaired.out << repaired.err;
  EXPECT_TRUE(Eventually([&] { return !fs::exists(path); }));
  EXPECT_EQ(Check().out, "");
}

}  // namespace
}  // namespace gridsweep::coordinator
