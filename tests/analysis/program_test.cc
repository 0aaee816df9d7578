// The program gridsweep-analysis, as a process.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <pqxx/pqxx>
#include <sstream>
#include <thread>

#include "common/rpc.h"
#include "gridsweep/v1/analysis.grpc.pb.h"
#include "tests/support/postgres.h"

extern char** environ;

namespace gridsweep::analysis {
namespace {

namespace fs = std::filesystem;

constexpr auto kPatience = std::chrono::seconds(60);

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

bool Within(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return condition();
}

class Program {
 public:
  Program(const fs::path& log, const std::vector<std::string>& flags) {
    std::vector<std::string> words = {std::string(GRIDSWEEP_BINARY_DIR) +
                                      "/bin/gridsweep-analysis"};
    words.insert(words.end(), flags.begin(), flags.end());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT, 0644);
    EXPECT_EQ(posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Program() {
    if (pid_ > 0) kill(pid_, SIGKILL), waitpid(pid_, nullptr, 0);
  }
  // Asks it to end; its exit status, -1 when it does not.
  int Terminate() {
    kill(pid_, SIGTERM);
    int status = 0;
    if (!Within([&] { return waitpid(pid_, &status, WNOHANG) == pid_; })) return -1;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
};

TEST(AnalysisProgram, WaitsForTheSchemaThenServesAndDrainsOnSigterm) {
  char name[] = "/tmp/gridsweep-analysis-program-XXXXXX";
  const fs::path directory = mkdtemp(name);
  const std::string database = testing::CreateDatabase();
  const std::string address = "unix:" + (directory / "socket").string();
  Program program(directory / "log", {"--listen", address, "--database", database, "--artifacts",
                                      (directory / "artifacts").string()});
  EXPECT_TRUE(Within([&] {
    return ReadFile(directory / "log").find("no schema yet") != std::string::npos;
  })) << ReadFile(directory / "log");

  {
    pqxx::connection connection(database);
    pqxx::work work(connection);
    work.exec(ReadFile(fs::path(GRIDSWEEP_SOURCE_DIR) / "coordinator/migrations/0001_initial.sql"));
    const std::string instance = work.exec("select instance_id from instance")[0][0].c_str();
    work.commit();
    fs::create_directory(directory / "artifacts");
    std::ofstream(directory / "artifacts" / "gridsweep-instance") << instance << "\n";
  }

  const auto stub = v1::AnalysisService::NewStub(Dial(address));
  v1::FractionResponse response;
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  const auto status = stub->Fraction(&context, {}, &response);
  EXPECT_TRUE(status.ok()) << status.error_message() << ReadFile(directory / "log");
  EXPECT_EQ(response.rows_size(), 1);
  EXPECT_EQ(program.Terminate(), 0);
  std::error_code ignored;
  fs::remove_all(directory, ignored);
}

}  // namespace
}  // namespace gridsweep::analysis
