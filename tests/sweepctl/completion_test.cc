// Completion as bash runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "sweepctl/exit_code.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Completion : public ::testing::Test {
 protected:
  Completion() {
    std::ofstream(directory_ / "completion.bash") << RunCaptured({"completion", "bash"}).out;
    // A server with these sweeps, as far as completion can see.
    std::ofstream(directory_ / "sweepctl")
        << "#!/bin/sh\nprintf '7\\tquickstart\\tgrid\\n12\\t$(touch evil) "
           "x\\tgrid\\n9\\tp01-small\\n'\n";
    chmod((directory_ / "sweepctl").c_str(), 0755);
  }

  // What is offered for the last of `words`, one a line.
  std::string Offers(const std::string& words) {
    const std::string script = "cd " + directory_.path().string() + " && PATH=$PWD:$PATH && " +
                               "source completion.bash && COMP_WORDS=(sweepctl " + words +
                               ") && COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) ; _sweepctl; " +
                               "printf '%s\\n' \"${COMPREPLY[@]}\"";
    return gridsweep::testing::Run({"/bin/bash", "-c", script}).out;
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(Completion, OffersVerbsAndFlags) {
  EXPECT_THAT(Offers("query ''"), AllOf(HasSubstr("fraction\n"), HasSubstr("summary\n")));
  EXPECT_THAT(Offers("query fraction --thr"), HasSubstr("--threshold\n"));
}

TEST_F(Completion, OffersMetricsFieldsStatesAndPanels) {
  EXPECT_EQ(Offers("query summary --metric border"), "border_score\n");
  EXPECT_EQ(Offers("query fraction --by readout_f"), "readout_family\n");
  EXPECT_EQ(Offers("query fraction --by activation,rnn_t"), "activation,rnn_type\n");
  EXPECT_EQ(Offers("get runs --state failed,run"), "failed,running\n");
  EXPECT_EQ(Offers("query fraction --filter decoding"), "decoding_error_cm\n");
  EXPECT_THAT(Offers("figure p0"), AllOf(HasSubstr("p01\n"), HasSubstr("p09\n")));
}

TEST_F(Completion, OffersSweepsByIdAndNameAndRunsNothingInThem) {
  EXPECT_EQ(Offers("query fraction --sweep quick"), "quickstart\n");
  EXPECT_EQ(Offers("watch p0"), "p01-small\n");
  EXPECT_EQ(Offers("describe sweep 1"), "12\n");
  EXPECT_THAT(Offers("verify ''"), HasSubstr("\\$\\(touch\\ evil\\)\\ x\n"));
  EXPECT_FALSE(fs::exists(directory_ / "evil"));
}

TEST_F(Completion, AnotherShellIsRefused) {
  EXPECT_EQ(RunCaptured({"completion", "tcsh"}).code, kUsage);
  EXPECT_THAT(RunCaptured({"completion", "fish"}).out, HasSubstr("-l metric"));
}

}  // namespace
}  // namespace gridsweep::sweepctl
