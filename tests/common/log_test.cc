#include "common/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

namespace gridsweep {
namespace {

// Each line that `work` logs, parsed.
template <typename Work>
std::vector<nlohmann::json> LinesOf(const std::string& program, Work work,
                                    std::string* raw = nullptr) {
  setenv("GRIDSWEEP_LOG_FORMAT", "json", 1);
  InitLogging(program);
  ::testing::internal::CaptureStderr();
  work();
  const std::string logged = ::testing::internal::GetCapturedStderr();
  if (raw != nullptr) *raw = logged;
  std::istringstream text(logged);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(nlohmann::json::parse(line, nullptr, false));
    EXPECT_TRUE(lines.back().is_object()) << line;
  }
  unsetenv("GRIDSWEEP_LOG_FORMAT");
  return lines;
}

TEST(JsonLog, LinesAboutARunCarryRunAttemptAndWorker) {
  const auto lines = LinesOf("one", [] {
    spdlog::info("before");
    {
      const LogContext run(17, 2, "node7");
      spdlog::warn("stuck");
      {
        const LogContext other(18, 0);
        spdlog::warn("another");
      }
      std::thread([] { spdlog::info("elsewhere"); }).join();
      spdlog::error("failed: {}", "a \"quoted\"\nword");
    }
    spdlog::info("after");
  });
  ASSERT_EQ(lines.size(), 6u);
  for (const size_t i : {1u, 4u}) {
    EXPECT_EQ(lines[i]["run"], 17);
    EXPECT_EQ(lines[i]["attempt"], 2);
    EXPECT_EQ(lines[i]["worker"], "node7");
  }
  EXPECT_EQ(lines[4]["message"], "failed: a \"quoted\"\nword");
  EXPECT_EQ(lines[4]["level"], "error");
  EXPECT_EQ(lines[2]["run"], 18);
  EXPECT_FALSE(lines[2].contains("attempt"));
  for (const size_t i : {0u, 3u, 5u}) EXPECT_FALSE(lines[i].contains("run")) << lines[i];
  EXPECT_EQ(lines[0]["program"], "one");
}

TEST(JsonLog, AWorkersLinesCarryItsName) {
  const auto lines = LinesOf("two", [] {
    SetLogWorker("node \"9\"");
    spdlog::info("registered");
    const LogContext run(3, 1);
    spdlog::info("starts");
  });
  SetLogWorker("");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["worker"], "node \"9\"");
  EXPECT_EQ(lines[1]["worker"], "node \"9\"");
  EXPECT_EQ(lines[1]["run"], 3);
}

TEST(JsonLog, WhatTerminalsObeyIsEscapedAndReadsBackAsItWas) {
  const std::string hostile = "a\x1b[31m\x7f\xC2\x9B" "31m\xE2\x80\xAE" "b\nc";
  std::string raw;
  const auto lines = LinesOf("three", [&] {
    const LogContext run(3, 1, hostile);
    spdlog::info("worker {}", hostile);
  }, &raw);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["message"], "worker " + hostile);
  EXPECT_EQ(lines[0]["worker"], hostile);
  for (const char* part : {"\x1b", "\x7f", "\xC2\x9B", "\xE2\x80\xAE"}) {
    EXPECT_EQ(raw.find(part), std::string::npos) << raw;
  }
}

TEST(TextLog, WordsOfOthersMakeNoLinesOfTheirOwn) {
  InitLogging("four");
  ::testing::internal::CaptureStderr();
  spdlog::info("worker {} registered",
               "x\n2026-01-01 00:00:00.000 coordinator info: audit: forged by root: OK\x1b[2K");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find("worker x\\n2026-01-01"), std::string::npos) << text;
  EXPECT_NE(text.find("\\u001b[2K registered\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
}

}  // namespace
}  // namespace gridsweep
