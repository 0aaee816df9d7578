// sweepctl's listings, errors and help against a server with results.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/queries/field.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/fields.h"
#include "tests/analysis/result_world.h"
#include "tests/support/program.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::analysis {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class SweepctlQuery : public ::testing::Test {
 protected:
  SweepctlQuery() : world_(/*files=*/true) {
    RunSpec spec;
    for (int i = 0; i < 30; ++i) {
      spec.scores.push_back(i % 3 == 0 ? std::nullopt : std::optional(0.01 * i));
    }
    world_.AddSweep({spec});
  }
  sweepctl::Ran Run(std::vector<std::string> args) {
    args.push_back("--analysis-address");
    args.push_back("unix:" + (world_.artifacts() / "socket").string());
    return sweepctl::RunCaptured(args);
  }
  ResultWorld world_;
};

TEST_F(SweepctlQuery, UnitsWithoutAValueAreListedWithEmptyCells) {
  const auto all = Run({"get", "units", "--limit", "1000", "-o", "csv"});
  ASSERT_EQ(all.code, sweepctl::kDone) << all.err;
  EXPECT_EQ(std::ranges::count(all.out, '\n'), 1 + 30);
  EXPECT_THAT(all.out, HasSubstr("\n1,29,0.29,DoS,1,"));
  EXPECT_THAT(all.out, HasSubstr("\n1,0,,DoS,1,"));
  EXPECT_EQ(all.err, "");
  EXPECT_THAT(Run({"get", "units", "--limit", "30", "-o", "csv"}).err, "") << "all are there";
}

TEST_F(SweepctlQuery, ACutListingSaysSo) {
  for (const char* format : {"csv", "json", "table", "name"}) {
    EXPECT_THAT(Run({"get", "units", "-o", format}).err,
                HasSubstr("note: these are the first 20 units; --limit N shows more\n"))
        << format;
  }
  EXPECT_THAT(Run({"get", "units", "--limit", "29", "-o", "csv"}).err, HasSubstr("first 29 units"));
}

TEST_F(SweepctlQuery, ErrorsNameFlagsAndNotFieldsOfARequest) {
  EXPECT_THAT(Run({"query", "fraction", "--by", "readuot"}).err,
              HasSubstr("sweepctl: --by: there is no field \"readuot\""));
  EXPECT_THAT(Run({"query", "fraction", "--filter", "nonsense = 3"}).err,
              HasSubstr("sweepctl: --filter: column 1: there is no field"));
  EXPECT_THAT(Run({"query", "summary", "--metric", "gird_score_60"}).err,
              HasSubstr("sweepctl: --metric: there is no metric \"gird_score_60\""));
  EXPECT_THAT(Run({"query", "summary", "--metric", "xyz"}).err,
              HasSubstr("`sweepctl metrics` lists them"));
  const std::string of = Run({"query", "fraction", "--of", "runs"}).err;
  EXPECT_THAT(of, HasSubstr("--of: grid_score_60 is a metric of units: ask for units or "
                            "runs-any-unit"));
  EXPECT_THAT(Run({"ratemaps", "--filter", "Ng ~ 3"}).err,
              HasSubstr("sweepctl: --filter: column 4"));
  EXPECT_THAT(Run({"rpc", "AnalysisService/Fraction", "{\"where\": {\"group_by\": [\"x\"]}}"}).err,
              HasSubstr("where.group_by[0]: "))
      << "who writes the request has its names";
}

TEST_F(SweepctlQuery, AFilterTakesStatesAsPeopleSayThem) {
  for (const char* filter : {"state = running", "state = Running", "state = leased"}) {
    const auto ran = Run({"query", "fraction", "--filter", filter});
    EXPECT_EQ(ran.code, sweepctl::kDone) << filter << ran.err;
  }
  EXPECT_THAT(Run({"query", "fraction", "--filter", "state = done"}).err,
              HasSubstr("pending, backoff, paused, running, succeeded"));
}

// `sweepctl help filter` and docs/filters.md have the fields that the server has, and no others.
TEST(FilterFields, AreThoseOfTheServer) {
  const std::string page = testing::ReadFile(GRIDSWEEP_SOURCE_DIR "/docs/filters.md");
  for (const auto& field : sweepctl::FilterFields()) {
    const Field* found = FindField(field.name);
    ASSERT_NE(found, nullptr) << field.name;
    EXPECT_EQ(field.groups, found->groupable) << field.name;
    EXPECT_THAT(page, HasSubstr(StrCat("`", field.name, "`")));
  }
  size_t known = 0;
  for (const auto& name : FieldNames()) {
    ++known;
    EXPECT_TRUE(std::ranges::any_of(sweepctl::FilterFields(), [&](const auto& field) {
      return field.name == name;
    })) << name;
  }
  EXPECT_GT(known, 60u);
}

}  // namespace
}  // namespace gridsweep::analysis
