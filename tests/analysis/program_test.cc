// The program gridsweep-analysis, as a process.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <set>

#include "common/rpc.h"
#include "gridsweep/v1/analysis.grpc.pb.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::analysis {
namespace {

namespace fs = std::filesystem;

using testing::ReadFile;
using testing::Within;

TEST(AnalysisProgram, WaitsForTheSchemaThenServesAndDrainsOnSigterm) {
  const testing::TemporaryDirectory directory;
  const std::string database = testing::CreateDatabase();
  const std::string address = "unix:" + (directory / "socket").string();
  testing::Program program(
      {GRIDSWEEP_BINARY_DIR "/bin/gridsweep-analysis", "--listen", address, "--database", database,
       "--artifacts", (directory / "artifacts").string()},
      directory / "log");
  EXPECT_TRUE(Within([&] {
    return ReadFile(directory / "log").find("no schema yet") != std::string::npos;
  })) << ReadFile(directory / "log");

  {
    pqxx::connection connection(database);
    pqxx::work work(connection);
    std::set<fs::path> migrations;
    for (const auto& entry :
         fs::directory_iterator(fs::path(GRIDSWEEP_SOURCE_DIR) / "coordinator/migrations")) {
      migrations.insert(entry.path());
    }
    for (const fs::path& migration : migrations) work.exec(ReadFile(migration));
    const std::string instance = work.exec("select instance_id from instance")[0][0].c_str();
    work.commit();
    fs::create_directory(directory / "artifacts");
    std::ofstream(directory / "artifacts" / "gridsweep-instance") << instance << "\n";
  }

  const auto stub = v1::AnalysisService::NewStub(Dial(address));
  v1::FractionResponse response;
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  const auto status = stub->Fraction(&context, {}, &response);
  EXPECT_TRUE(status.ok()) << status.error_message() << ReadFile(directory / "log");
  EXPECT_EQ(response.rows_size(), 1);
  EXPECT_EQ(program.Terminate(), 0);
}

}  // namespace
}  // namespace gridsweep::analysis
