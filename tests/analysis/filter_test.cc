#include "analysis/queries/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(std::string_view filter) {
  const auto parsed = ParseFilter(filter, "where.filter");
  if (parsed.ok()) return "(accepted)";
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(parsed.status().message());
}

TEST(Filter, ReadsConditionsJoinedByAnd) {
  const auto parsed =
      ParseFilter("decoding_error_cm < 10 AND activation = \"relu\" and Ng>=1024", "where.filter");
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  ASSERT_EQ(parsed->size(), 3u);
  EXPECT_EQ((*parsed)[0].field->name, "pos_err_published");
  EXPECT_EQ((*parsed)[0].op, CompareOp::kLt);
  EXPECT_EQ(std::get<NumberLiteral>((*parsed)[0].value).value, 10);
  EXPECT_EQ(std::get<std::string>((*parsed)[1].value), "relu");
  EXPECT_EQ((*parsed)[2].op, CompareOp::kGe);
}

TEST(Filter, NamesACharacterOfSeveralBytesWhole) {
  EXPECT_THAT(ErrorOf("Ng = 1 AND \u00e9"), HasSubstr("column 12: unexpected character '\u00e9'"));
}

// 300,000 conditions were an INTERNAL error of the database.
TEST(Filter, HasALimitOfConditionsAndOfBytes) {
  const auto filter = [](size_t conditions) {
    std::string text = "Ng = 1";
    for (size_t i = 1; i < conditions; ++i) text += " AND Ng = 1";
    return text;
  };
  EXPECT_EQ(ParseFilter(filter(kMaxConditions), "f")->size(), kMaxConditions);
  EXPECT_THAT(ErrorOf(filter(kMaxConditions + 1)), HasSubstr("more than 256 conditions"));
  EXPECT_THAT(ErrorOf(filter(300'000)), HasSubstr("at most 65536"));
}

TEST(Filter, OfNothingHasNoConditions) { EXPECT_TRUE(ParseFilter("  ", "f")->empty()); }

TEST(Filter, TakesChoicesInAnyCaseAndWidthsInAnyForm) {
  auto parsed = ParseFilter("rnn_type = lstm", "f");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(std::get<std::string>((*parsed)[0].value), "LSTM");
  parsed = ParseFilter("place_cell_rf = 0.120", "f");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(std::get<std::string>((*parsed)[0].value), "0.12");
  parsed = ParseFilter("place_cell_rf != 'Uniform( 0.06 , 0.18 )'", "f");
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(std::get<std::string>((*parsed)[0].value), "Uniform( 0.06 , 0.18 )");
}

TEST(Filter, KeepsQuotesAndEscapesInStrings) {
  const auto parsed = ParseFilter(R"(readout = "a \"b\" '; drop table runs; --")", "f");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(std::get<std::string>((*parsed)[0].value), "a \"b\" '; drop table runs; --");
}

TEST(Filter, ErrorsNameColumnAndRemedy) {
  EXPECT_THAT(ErrorOf("activaton = relu"), AllOf(HasSubstr("where.filter: column 1:"),
                                                 HasSubstr("did you mean \"activation\"")));
  EXPECT_THAT(
      ErrorOf("Ng = 64 AND activation = rellu"),
      AllOf(HasSubstr("column 26:"), HasSubstr("did you mean \"relu\""), HasSubstr("tanh")));
  EXPECT_THAT(ErrorOf("Ng = big"), AllOf(HasSubstr("column 6:"), HasSubstr("is a number")));
  EXPECT_THAT(ErrorOf("Ng 5"), AllOf(HasSubstr("column 4:"), HasSubstr("expected one of = !=")));
  EXPECT_THAT(ErrorOf("Ng ="), AllOf(HasSubstr("column 5:"), HasSubstr("got the end")));
  EXPECT_THAT(ErrorOf("Ng = 5 OR Np = 3"), AllOf(HasSubstr("column 8:"), HasSubstr("AND")));
  EXPECT_THAT(ErrorOf("Ng = 5 AND"), AllOf(HasSubstr("column 11:"), HasSubstr("name of a field")));
  EXPECT_THAT(ErrorOf("readout = \"DoS"),
              AllOf(HasSubstr("column 11:"), HasSubstr("closing quote")));
  EXPECT_THAT(ErrorOf(std::string("readout = \"DoS\0\"", 16)),
              AllOf(HasSubstr("column 11:"), HasSubstr("NUL character")));
  EXPECT_THAT(ErrorOf("Ng = 5; drop table runs"), HasSubstr("column 7: unexpected character ';'"));
  EXPECT_THAT(ErrorOf("(Ng = 5)"), HasSubstr("column 1: unexpected character '('"));
}

TEST(Filter, RefusesComparisonsThatMeanNothing) {
  EXPECT_THAT(ErrorOf("activation < relu"), HasSubstr("column 12: activation is text"));
  EXPECT_THAT(ErrorOf("is_periodic > true"), HasSubstr("only = and !="));
  EXPECT_THAT(ErrorOf("is_periodic = 1"), HasSubstr("true or false"));
  EXPECT_THAT(ErrorOf("place_cell_rf < wide"), HasSubstr("compared with a number"));
  EXPECT_THAT(ErrorOf("place_cell_rf = wide"), HasSubstr("Uniform( a , b )"));
  EXPECT_THAT(ErrorOf("grid_score_60 > 0.8"), HasSubstr("is a metric of units"));
  EXPECT_THAT(ErrorOf("state = finished"), HasSubstr("succeeded"));
  EXPECT_THAT(ErrorOf("loss < nan"), HasSubstr("is a number"));
}

}  // namespace
}  // namespace gridsweep::analysis
