#include "sweepctl/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <sstream>

#include "common/strings.h"
#include "gridsweep/v1/analysis.pb.h"
#include "gridsweep/v1/sweep.pb.h"

namespace gridsweep::sweepctl {
namespace {

Listing Two() {
  Listing listing;
  listing.columns = {{"RUN", true}, {"READOUT"}, {"MAX SCORE", true}, {"HASH", false, true}};
  listing.rows = {{Number(7), Text("DoS"), Real(1.25), Text("ab")},
                  {Number(1234), Text("a \"b\",\tc"), Real(std::nan("")), Text("cd")}};
  listing.items = {{{"run", 7}}, {{"run", 1234}}};
  listing.names = {"7", "1234"};
  listing.when_empty = "Nothing.";
  return listing;
}

struct Printed {
  std::string out, err;
};

Printed PrintTo(Format format, const Listing& listing, bool terminal = false, bool header = false) {
  std::istringstream in;
  std::ostringstream out, err;
  Console console{in, out, err};
  console.out_terminal = terminal;
  Print(console, format, header, listing);
  return {out.str(), err.str()};
}

TEST(Output, IsAnAlignedTableOnATerminal) {
  EXPECT_EQ(PrintTo(Format::kAuto, Two(), true).out,
            " RUN  READOUT   MAX SCORE\n"
            "   7  DoS           1.250\n"
            "1234  a \"b\", c          -\n");
}

TEST(Output, WideHasTheOtherColumnsToo) {
  EXPECT_THAT(PrintTo(Format::kWide, Two()).out, ::testing::HasSubstr("HASH"));
}

TEST(Output, IsTabSeparatedWithoutHeaderInAPipe) {
  EXPECT_EQ(PrintTo(Format::kAuto, Two()).out, "7\tDoS\t1.25\n1234\ta \"b\", c\t\n");
}

TEST(Output, KeepsTheHeaderInAPipeWhenAsked) {
  EXPECT_THAT(PrintTo(Format::kAuto, Two(), false, true).out,
              ::testing::StartsWith("run\treadout\tmax_score\n"));
}

TEST(Output, CsvHasEveryColumnAndQuotesByRfc4180) {
  EXPECT_EQ(PrintTo(Format::kCsv, Two()).out,
            "run,readout,max_score,hash\n"
            "7,DoS,1.25,ab\n"
            "1234,\"a \"\"b\"\",\tc\",,cd\n");
}

TEST(Output, JsonlIsOneItemALine) {
  EXPECT_EQ(PrintTo(Format::kJsonl, Two()).out, "{\"run\":7}\n{\"run\":1234}\n");
}

TEST(Output, JsonIsTheListOfItemsOrTheDocument) {
  Listing listing = Two();
  EXPECT_EQ(nlohmann::json::parse(PrintTo(Format::kJson, listing).out).size(), 2u);
  listing.document = nlohmann::ordered_json({{"whole", true}});
  EXPECT_TRUE(nlohmann::json::parse(PrintTo(Format::kJson, listing).out).contains("whole"));
}

TEST(Output, NameIsTheIdAlone) { EXPECT_EQ(PrintTo(Format::kName, Two()).out, "7\n1234\n"); }

// What a terminal would obey is never sent to one, and data stay as they are.
TEST(Output, WordsOfOthersAreShownAndNotObeyed) {
  const std::string hostile = "a\x1b[2J\x7f\xC2\x9B" "31m\xE2\x80\xAE" "b";
  Listing listing;
  listing.columns = {{"NAME"}, {"WHY"}};
  listing.rows = {{Text(hostile), Text("short")}};
  listing.items = {{{"name", hostile}, {"lines", "x\n\x1b[2J"}}};
  listing.names = {hostile};
  for (const Format format :
       {Format::kAuto, Format::kTable, Format::kWide, Format::kJson, Format::kJsonl, Format::kYaml,
        Format::kCsv, Format::kName}) {
    for (const bool terminal : {true, false}) {
      if (format == Format::kCsv && !terminal) continue;
      const std::string out = PrintTo(format, listing, terminal, true).out;
      for (const char* part : {"\x1b", "\x7f", "\xC2\x9B", "\xE2\x80\xAE"}) {
        EXPECT_EQ(out.find(part), std::string::npos) << out;
      }
      EXPECT_THAT(out, ::testing::HasSubstr("31m")) << out;
    }
  }
  EXPECT_THAT(PrintTo(Format::kCsv, listing).out, ::testing::HasSubstr(hostile + ",short\n"));
  const auto read = nlohmann::json::parse(PrintTo(Format::kJson, listing).out);
  EXPECT_EQ(read[0]["name"], hostile);
}

TEST(Output, AnEmptyTableSaysSoOnStderrAlone) {
  Listing listing = Two();
  listing.rows.clear();
  listing.items.clear();
  EXPECT_EQ(PrintTo(Format::kAuto, listing).out, "");
  EXPECT_EQ(PrintTo(Format::kAuto, listing).err, "Nothing.\n");
  EXPECT_EQ(PrintTo(Format::kJson, listing).out, "[]\n");
}

TEST(Output, TitlesBecomeNamesThatProgramsCanWrite) {
  Listing listing;
  listing.columns = {{"K RAD/M"}, {"ALPHA E, I"}, {"grid_score_60"}, {"Q0.5"}, {"A > B"}, {"X"}};
  listing.columns.back().name = "published_x";
  EXPECT_EQ(PrintTo(Format::kCsv, listing).out,
            "k_rad_m,alpha_e_i,grid_score_60,q0.5,a_b,published_x\n");
}

TEST(Output, ProtoJsonIsTheSameAtEachCall) {
  // Each map hashes by a seed of its own.
  std::set<std::string> texts;
  for (int i = 0; i < 50; ++i) {
    v1::UnitRow unit;
    for (int k = 0; k < 12; ++k) (*unit.mutable_metrics())[StrCat("m", (k * 7 + i) % 12)] = k * 0;
    texts.insert(ToJson(unit).dump());
  }
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_THAT(*texts.begin(), ::testing::ContainsRegex("m0.*m1.*m10.*m11.*m2.*m9"));
}

TEST(Output, ProtoJsonKeepsPublishedNamesAndZeros) {
  v1::RunCounts counts;
  counts.set_total(3);
  const auto json = ToJson(counts);
  EXPECT_EQ(json["total"], "3");
  EXPECT_EQ(json["pending"], "0");
  v1::RunConfig config;
  config.set_rnn_type("RNN");
  EXPECT_EQ(ToJson(config)["rnn_type"], "RNN");
}

TEST(Output, YamlKeepsStringsStrings) {
  EXPECT_EQ(ToYaml({{"a", "1"}, {"b", 2}, {"c", {1.5, nullptr}}}),
            "a: \"1\"\nb: 2\nc:\n  - 1.5\n  - ~\n");
}

TEST(Output, NumbersReadWell) {
  EXPECT_EQ(WithCommas(1234567), "1,234,567");
  EXPECT_EQ(WithCommas(-1234), "-1,234");
  EXPECT_EQ(WithCommas(999), "999");
  EXPECT_EQ(Span(7.5), "7.5s");
  EXPECT_EQ(Span(125), "2m 5s");
  EXPECT_EQ(Span(3600 * 27), "1d 3h");
  EXPECT_EQ(Real(3e-6).text, "3e-06");
  EXPECT_EQ(Real(0.1 + 0.2).machine, "0.30000000000000004");
}

}  // namespace
}  // namespace gridsweep::sweepctl
