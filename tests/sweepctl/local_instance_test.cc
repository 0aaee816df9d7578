// The whole of Gridsweep on this machine, through sweepctl alone: real
// programs, a real database, a sweep trained to its end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/renderer.h"
#include "tests/support/temporary_directory.h"

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kSweep[] =
    "name: tiny\n"
    "method: grid\n"
    "parameters:\n"
    "  place_field_values: {values: [gaussian, difference_of_gaussians]}\n"
    "  Ng: {value: 16}\n"
    "  Np: {value: 16}\n"
    "  batch_size: {value: 8}\n"
    "  sequence_length: {value: 5}\n"
    "  n_epochs: {value: 1}\n"
    "  n_grad_steps_per_epoch: {value: 20}\n"
    "  eval_batches: {value: 40}\n"
    "  chance_units: {value: 0}\n"
    "  seed: {values: [0, 1]}\n";

struct Ran {
  int code;
  std::string out, err;
};

class LocalInstance : public ::testing::Test {
 protected:
  LocalInstance() { std::ofstream(home_ / "tiny.yaml") << kSweep; }
  ~LocalInstance() override {
    Sweepctl("local down");
    if (::testing::Test::HasFailure()) {
      for (const char* log : {"coordinator", "analysis", "worker", "postgres"}) {
        std::printf("== %s.log\n%s\n", log,
                    Read(home_ / "data/logs" / (std::string(log) + ".log")).c_str());
      }
    }
  }

  static std::string Read(const fs::path& file) {
    std::ifstream in(file);
    return std::string((std::istreambuf_iterator<char>(in)), {});
  }

  Ran Sweepctl(const std::string& arguments) {
    const std::string home = home_.path();
    const std::string command =
        "cd " + home + " && env -u GRIDSWEEP_ADDRESS HOME=" + home +
        " XDG_STATE_HOME= XDG_CONFIG_HOME= GRIDSWEEP_DATA=" + (home_ / "data").string() + " " +
        GRIDSWEEP_BINARY_DIR + "/bin/sweepctl " + arguments + " >" + (home_ / "out").string() +
        " 2>" + (home_ / "err").string();
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), Read(home_ / "out"),
            Read(home_ / "err")};
  }

  // What other users of this machine could read or change below the instance's directory.
  std::vector<std::string> OpenToOthers() const {
    std::vector<std::string> open;
    const auto look = [&](const fs::path& path, unsigned closed) {
      struct stat info {};
      if (lstat(path.c_str(), &info) != 0) return;  // it has gone meanwhile
      // The mode of a socket says nothing where nobody gets to it, that of a link never.
      if (S_ISSOCK(info.st_mode) || S_ISLNK(info.st_mode)) return;
      if ((info.st_mode & closed) != 0) open.push_back(path.string());
    };
    look(home_ / "data", geteuid() == 0 ? 066 : 077);  // root's database is another user's
    for (fs::recursive_directory_iterator i(home_ / "data"), end; i != end; ++i) {
      look(i->path(), 077);
      // Files come and go in there.
      if (i->path().filename() == "postgres") i.disable_recursion_pending();
    }
    return open;
  }

  // A zombie that nobody has waited for does not run.
  static bool Runs(pid_t pid) {
    const std::string stat = Read("/proc/" + std::to_string(pid) + "/stat");
    const size_t close = stat.rfind(')');
    return close != std::string::npos && stat[close + 2] != 'Z';
  }

  pid_t PidOf(const std::string& piece) {
    const auto state = nlohmann::json::parse(Read(home_ / "data/local.json"));
    for (const auto& p : state.at("pieces")) {
      if (p.at("name") == piece) return p.at("pid");
    }
    return 0;
  }

  const gridsweep::testing::TemporaryDirectory home_;
};

TEST_F(LocalInstance, TrainsASweepSurvivesDeathAndFindsItAgain) {
  Ran ran = Sweepctl("local status");
  EXPECT_EQ(ran.code, 3) << ran.err;

  ran = Sweepctl("local up --slots 2");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("unix:"));
  ran = Sweepctl("local up");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, ::testing::Not(HasSubstr("starting"))) << "the second up starts nothing";
  ran = Sweepctl("local status");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, ::testing::Not(HasSubstr("died")));

  ran = Sweepctl("submit tiny.yaml -o name --request-id once");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string id = ran.out.substr(0, ran.out.find('\n'));
  ran = Sweepctl("submit tiny.yaml -o name --request-id once");
  EXPECT_EQ(ran.out, id + "\n") << "the same request id creates nothing new";
  ran = Sweepctl("wait tiny --timeout 5m");
  ASSERT_EQ(ran.code, 0) << ran.err;

  EXPECT_THAT(OpenToOthers(), ::testing::IsEmpty());

  ran = Sweepctl("get runs --sweep " + id + " --state succeeded -o name");
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 4) << ran.out << ran.err;
  ran = Sweepctl("describe run 1 -o table");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("COUNTS"));
  EXPECT_THAT(ran.out, HasSubstr("succeeded"));
  ran = Sweepctl("query fraction --by readout --sweep " + id + " -o json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto fractions = nlohmann::json::parse(ran.out);
  ASSERT_EQ(fractions.at("rows").size(), 2u);
  EXPECT_EQ(fractions["rows"][0].at("denominator"), "32");
  EXPECT_EQ(Sweepctl("query summary --metric decoding_error_cm --by readout").code, 0);
  ran = Sweepctl("get runs --sweep tiny -o json");
  EXPECT_EQ(Sweepctl("get runs --sweep tiny -o json").out, ran.out) << "maps have an order";
  ran = Sweepctl("ratemaps --sweep tiny --top 4 --out best.png");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Read(home_ / "best.png").substr(1, 3), "PNG");
  ran = Sweepctl("figure P1 --sweep tiny -o p01.json --output json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(nlohmann::json::parse(ran.out).at("coverage").at("finished"), "4");
  EXPECT_EQ(nlohmann::json::parse(Read(home_ / "p01.json")).at("datasets").at("solved").size(), 9u)
      << "two families here, seven published";
  ran = Sweepctl("figure p01 --sweep tiny -o p01.png");
  if (!gridsweep::testing::WithoutRenderer()) {
    ASSERT_EQ(ran.code, 0) << ran.err << " (setup/renderer.sh installs the renderer)";
    EXPECT_EQ(Read(home_ / "p01.png").substr(1, 3), "PNG");
  }
  EXPECT_EQ(Sweepctl("figure p01 -o p01.gif").code, 2);
  ran = Sweepctl("figure p08 --sweep tiny -o p08.json");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("sweeps/p08/small.yaml"));
  ran = Sweepctl("theory tiny --patterns relu --steps 20 --units 4 --out tiny.png -o json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Read(home_ / "tiny.png").substr(1, 3), "PNG");
  const auto theories = nlohmann::json::parse(ran.out);
  ASSERT_EQ(theories.size(), 2u) << "two readouts, of two runs each";
  EXPECT_EQ(theories[0].at("runs"), "2");
  EXPECT_EQ(theories[1].at("patterns").at(0).at("units").size(), 4u);
  ran = Sweepctl("theory tiny.yaml --no-pictures -o json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(nlohmann::json::parse(ran.out).at(1).at("maximum"), theories[1].at("maximum"));
  ran = Sweepctl("theory place_field_values=cartesian");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("no place cells"));
  ran = Sweepctl("verify tiny");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("COUNTED"));
  ran = Sweepctl("rpc SweepService/GetSweep '{\"sweep_id\": " + id + "}'");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(nlohmann::json::parse(ran.out).at("sweep").at("name"), "tiny");
  EXPECT_EQ(Sweepctl("describe sweep nonesuch").code, 3);

  // A file without a name gives its sweep its own.
  std::string nameless = kSweep;
  nameless.erase(0, nameless.find('\n') + 1);
  std::ofstream(home_ / "wandb-like.yaml") << nameless;
  ASSERT_EQ(Sweepctl("submit wandb-like.yaml").code, 0);
  EXPECT_EQ(Sweepctl("cancel wandb-like --yes").code, 0);
  EXPECT_EQ(Sweepctl("delete wandb-like --force --yes").code, 0);

  std::ofstream(home_ / "gpu.yaml") << kSweep << "gridsweep: {resources: {class: gpu}}\n";
  ASSERT_EQ(Sweepctl("submit gpu.yaml --name on-gpu").code, 0);
  ran = Sweepctl("wait on-gpu --timeout 3s");
  EXPECT_EQ(ran.code, 7) << ran.out << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("waits for a worker of class gpu"));
  ran = Sweepctl("describe sweep on-gpu -o table");
  EXPECT_THAT(ran.out, HasSubstr("a worker of class gpu: of 1 live none is"));
  EXPECT_EQ(Sweepctl("cancel on-gpu --yes").code, 0);
  EXPECT_THAT(Sweepctl("describe sweep on-gpu -o table").out,
              ::testing::Not(HasSubstr("Waits for")));
  EXPECT_EQ(Sweepctl("delete on-gpu --yes").code, 0);

  ASSERT_EQ(kill(PidOf("worker"), SIGKILL), 0);
  // Dead once the kernel has taken it away.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (Sweepctl("local status").code == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ran = Sweepctl("local status");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("worker"));
  EXPECT_THAT(ran.err, HasSubstr("has died"));
  ran = Sweepctl("get sweeps");
  EXPECT_EQ(ran.code, 1) << "an answer does not hide a crash";
  EXPECT_THAT(ran.out, HasSubstr("tiny"));
  EXPECT_EQ(Sweepctl("submit tiny.yaml").code, 1) << "nothing would train it";
  ran = Sweepctl("local up");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("worker (pid"));
  EXPECT_EQ(Sweepctl("local status").code, 0);

  const pid_t postgres = PidOf("postgres");
  ran = Sweepctl("local down");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_FALSE(Runs(postgres)) << "nothing is left running";
  EXPECT_FALSE(fs::exists(home_ / "data/local.json"));
  EXPECT_EQ(Sweepctl("local down").code, 0);

  ran = Sweepctl("local up");
  ASSERT_EQ(ran.code, 0) << ran.err;
  ran = Sweepctl("get sweeps -o name");
  EXPECT_EQ(ran.out, id + "\n") << "down and up again finds the sweep";
}

TEST_F(LocalInstance, AnInterruptedFirstUpLeavesNothing) {
  const fs::path data = home_ / "data";
  const std::string home = home_.path();
  const std::string command = "cd " + home + " && exec env HOME=" + home +
                              " XDG_STATE_HOME= XDG_CONFIG_HOME= GRIDSWEEP_DATA=" + data.string() +
                              " " + GRIDSWEEP_BINARY_DIR + "/bin/sweepctl local up >out 2>err";
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    // Of its own group, as a shell's command has it: Ctrl-C reaches initdb too.
    setpgid(0, 0);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (Read(home_ / "err").find("creating a database") == std::string::npos &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_EQ(kill(-pid, SIGINT), 0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 130);
  EXPECT_THAT(Read(home_ / "err"), HasSubstr("interrupted"));
  EXPECT_THAT(Read(home_ / "err"), ::testing::Not(HasSubstr("initdb failed")));
  EXPECT_FALSE(fs::exists(data));
}

TEST(Programs, TellOneVersion) {
  std::string version;
  for (const std::string program :
       {"sweepctl", "gridsweep-coordinator", "gridsweep-analysis", "gridsweep-worker"}) {
    char line[200] = "";
    FILE* pipe = popen((GRIDSWEEP_BINARY_DIR "/bin/" + program + " --version").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    ASSERT_NE(fgets(line, sizeof line, pipe), nullptr) << program;
    EXPECT_EQ(pclose(pipe), 0) << program;
    const std::string text = line;
    ASSERT_EQ(text.rfind(program + " ", 0), 0u) << text;
    if (version.empty()) version = text.substr(program.size());
    EXPECT_EQ(text.substr(program.size()), version);
  }
}

}  // namespace
