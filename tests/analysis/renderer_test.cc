// Renderers that work, fail, hang and lie: each a real program.
#include "analysis/figures/renderer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/support/program.h"
#include "tests/support/renderer.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::analysis {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kDocument[] =
    R"({"data": {"values": [{"a": 1}]}, "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative", "title": "width σ, m"}}})";

class RendererTest : public ::testing::Test {
 protected:
  // A program in the renderer's place.
  void Install(const std::string& script) {
    std::ofstream(directory_ / "render") << "#!/bin/sh\n" << script << "\n";
    fs::permissions(directory_ / "render", fs::perms::owner_all);
  }
  absl::StatusOr<std::string> Render(const std::string& document, Picture format = Picture::kSvg,
                                     absl::Duration deadline = absl::Minutes(1),
                                     size_t most_bytes = 1 << 20) {
    return Renderer(
               {.directory = directory_.path(), .deadline = deadline, .most_bytes = most_bytes})
        .Render(document, format);
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(RendererTest, IsNotInstalledOverWhatIsNotItsOwn) {
  std::ofstream(directory_ / "thesis.tex") << "\\begin{document}";
  const auto ran =
      testing::Run({GRIDSWEEP_SOURCE_DIR "/setup/renderer.sh", directory_.path().string()});
  EXPECT_EQ(ran.code, 2) << ran.out << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(directory_.path().string()));
  EXPECT_TRUE(fs::exists(directory_ / "thesis.tex"));
}

TEST_F(RendererTest, TheInstalledOneDrawsBothKindsOfPicture) {
  if (testing::WithoutRenderer()) GTEST_SKIP() << "no renderer of figures here";
  const Renderer renderer({.directory = fs::path(GRIDSWEEP_SOURCE_DIR) / "build/renderer"});
  const auto svg = renderer.Render(kDocument, Picture::kSvg);
  ASSERT_TRUE(svg.ok()) << svg.status() << " (setup/renderer.sh installs it)";
  EXPECT_THAT(*svg, HasSubstr("width σ, m"));
  const auto png = renderer.Render(kDocument, Picture::kPng);
  ASSERT_TRUE(png.ok()) << png.status();
  EXPECT_EQ(png->substr(1, 3), "PNG");
}

TEST_F(RendererTest, TheInstalledOneSaysWhatIsWrongWithADocument) {
  if (testing::WithoutRenderer()) GTEST_SKIP() << "no renderer of figures here";
  const Renderer renderer({.directory = fs::path(GRIDSWEEP_SOURCE_DIR) / "build/renderer"});
  const auto drawn =
      renderer.Render(R"({"mark": "no such mark", "data": {"values": []}})", Picture::kSvg);
  EXPECT_EQ(drawn.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(drawn.status().message()), HasSubstr("failed with status"));
}

TEST_F(RendererTest, WithoutOneTheAnswerSaysHowToGetIt) {
  const auto drawn = Render(kDocument);
  EXPECT_EQ(drawn.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(drawn.status().message()),
              HasSubstr("setup/renderer.sh " + directory_.path().string()));
  EXPECT_THAT(std::string(drawn.status().message()), HasSubstr("--renderer"));
}

TEST_F(RendererTest, TheDocumentArrivesWholeWhileThePictureComesBack) {
  // Larger than any pipe's buffer in both directions.
  Install("printf '<svg>'; cat; printf '</svg>'");
  const std::string document(900'000, 'x');
  const auto drawn = Render(document);
  ASSERT_TRUE(drawn.ok()) << drawn.status();
  EXPECT_EQ(*drawn, "<svg>" + document + "</svg>");
}

TEST_F(RendererTest, OneThatHangsIsStoppedWithAllThatItStarted) {
  Install("echo $$ >'" + (directory_ / "pid").string() +
          "'; echo still here >&2; sleep 1000 & wait");
  const auto drawn = Render(kDocument, Picture::kSvg, absl::Milliseconds(300));
  EXPECT_EQ(drawn.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(drawn.status().message()), HasSubstr("did not end in 300ms"));
  EXPECT_THAT(std::string(drawn.status().message()), HasSubstr("still here"));
  const std::string pid = testing::ReadFile(directory_ / "pid");
  ASSERT_FALSE(pid.empty());
  const auto group = static_cast<pid_t>(std::stol(pid));
  EXPECT_TRUE(testing::Within([&] { return kill(-group, 0) != 0; }));
}

TEST_F(RendererTest, OneThatEndsHalfwayThroughThePictureIsAnError) {
  Install("cat >/dev/null; printf '<svg><g>'");
  auto drawn = Render(kDocument);
  EXPECT_EQ(drawn.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(drawn.status().message()), HasSubstr("no whole SVG (8 bytes)"));
  Install("cat >/dev/null; printf '\\211PNG\\r\\n\\032\\n'");
  drawn = Render(kDocument, Picture::kPng);
  EXPECT_THAT(std::string(drawn.status().message()), HasSubstr("no whole PNG"));
}

TEST_F(RendererTest, OneThatFailsOrDiesIsQuoted) {
  Install("echo no fonts >&2; exit 3");
  auto drawn = Render(std::string(1 << 20, 'x'));  // which it does not read
  EXPECT_EQ(drawn.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(drawn.status().message()),
              HasSubstr("failed with status 3; it said: no fonts"));
  Install("kill -SEGV $$");
  drawn = Render(kDocument);
  EXPECT_THAT(std::string(drawn.status().message()), HasSubstr("killed by signal 11"));
}

TEST_F(RendererTest, APictureWithoutEndIsCutOff) {
  Install("yes '<svg>'");
  const auto drawn = Render(kDocument);
  EXPECT_EQ(drawn.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(drawn.status().message()), HasSubstr("larger than 1048576 bytes"));
}

}  // namespace
}  // namespace gridsweep::analysis
