#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "common/strings.h"
#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;
using Place = std::tuple<std::optional<double>, int64_t, uint32_t>;  // value, run, unit

class ListUnitsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new ResultWorld;
    std::vector<RunSpec> runs;
    for (int r = 0; r < 5; ++r) {
      RunSpec spec{.activation = r < 3 ? "relu" : "tanh", .seed = r};
      // Few distinct values: many ties within and across runs.
      for (int i = 0; i < 23; ++i) {
        spec.scores.push_back(i % 5 == 4 ? std::nullopt : std::optional(0.1 * ((i * 7 + r) % 6)));
      }
      runs.push_back(spec);
    }
    world_->AddSweep(runs);
  }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  static Place PlaceOf(const v1::UnitRow& unit) {
    return {unit.has_value() ? std::optional(unit.value()) : std::nullopt, unit.ref().run_id(),
            unit.ref().unit()};
  }
  static v1::ListUnitsResponse Ask(const v1::ListUnitsRequest& request) {
    grpc::ClientContext context;
    v1::ListUnitsResponse response;
    const auto status = world_->stub().ListUnits(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // All units, in the order promised: those without a score last.
  static std::vector<Place> Expected(bool ascending, const std::string& activation = "") {
    std::vector<Place> places;
    for (const StoredRun& run : world_->runs()) {
      if (!activation.empty() && run.spec.activation != activation) continue;
      for (size_t i = 0; i < run.spec.scores.size(); ++i) {
        places.emplace_back(run.spec.scores[i], run.run_id, static_cast<uint32_t>(i));
      }
    }
    std::ranges::sort(places, [&](const Place& a, const Place& b) {
      const auto &x = std::get<0>(a), &y = std::get<0>(b);
      if (x.has_value() != y.has_value()) return x.has_value();
      if (x != y) return (*x < *y) == ascending;
      return std::tie(std::get<1>(a), std::get<2>(a)) < std::tie(std::get<1>(b), std::get<2>(b));
    });
    return places;
  }
  static std::vector<Place> AllPages(v1::ListUnitsRequest request) {
    std::vector<Place> places;
    for (int page = 0; page < 1000; ++page) {
      const auto response = Ask(request);
      EXPECT_LE(response.units_size(), static_cast<int>(request.page_size()));
      for (const auto& unit : response.units()) {
        places.push_back(PlaceOf(unit));
      }
      if (response.next_page_token().empty()) return places;
      request.set_page_token(response.next_page_token());
    }
    ADD_FAILURE() << "pages without end";
    return places;
  }

  static ResultWorld* world_;
};
ResultWorld* ListUnitsTest::world_ = nullptr;

TEST_F(ListUnitsTest, PagesHoldEveryUnitOnceAndInOrder) {
  for (const bool ascending : {false, true}) {
    for (const uint32_t page_size : {1u, 7u, 94u, 95u, 115u, 1000u}) {
      v1::ListUnitsRequest request;
      request.set_ascending(ascending);
      request.set_page_size(page_size);
      EXPECT_EQ(AllPages(request), Expected(ascending)) << page_size;
    }
  }
}

TEST_F(ListUnitsTest, GivesAPageOfEachGroup) {
  v1::ListUnitsRequest request;
  request.set_page_size(5);
  request.mutable_where()->add_group_by("activation");
  std::map<std::string, std::vector<Place>> groups;
  for (int page = 0; page < 100; ++page) {
    const auto response = Ask(request);
    std::map<std::string, int> on_page;
    for (const auto& unit : response.units()) {
      ++on_page[unit.key(0).text()];
      groups[unit.key(0).text()].push_back(PlaceOf(unit));
    }
    if (page == 0) {
      EXPECT_EQ(on_page, (std::map<std::string, int>{{"relu", 5}, {"tanh", 5}}));
    }
    if (response.next_page_token().empty()) break;
    request.set_page_token(response.next_page_token());
  }
  EXPECT_EQ(groups["relu"], Expected(false, "relu"));
  EXPECT_EQ(groups["tanh"], Expected(false, "tanh"));
}

TEST_F(ListUnitsTest, RowsCarryAllMetricsWithoutTheNulls) {
  v1::ListUnitsRequest request;
  request.set_metric("mean_rate");
  request.set_page_size(1000);
  const auto response = Ask(request);
  EXPECT_EQ(response.units_size(), 5 * 23);  // known for silent units too
  for (const auto& unit : response.units()) {
    const StoredRun& run = world_->runs()[unit.ref().run_id() - 1];
    EXPECT_EQ(unit.sweep_id(), run.sweep_id);
    EXPECT_EQ(unit.readout(), "DoS");
    for (const auto& [metric, values] : run.units) {
      const auto& value = values[unit.ref().unit()];
      ASSERT_EQ(unit.metrics().contains(metric), value.has_value()) << metric;
      if (value) EXPECT_EQ(unit.metrics().at(metric), *value);
    }
    EXPECT_EQ(unit.value(), unit.metrics().at("mean_rate"));
  }
}

TEST_F(ListUnitsTest, AsNaiveSqlLists) {
  for (const std::string metric : {"grid_score_60", "border_score", "period_bins"}) {
    v1::ListUnitsRequest request;
    request.set_metric(metric);
    request.set_page_size(17);
    std::string listed;
    do {
      const auto response = Ask(request);
      for (const auto& unit : response.units()) {
        listed += StrCat(unit.ref().run_id(), ":", unit.ref().unit(), " ");
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(listed, world_->Ask("select string_agg(run_id || ':' || unit || ' ', '' order by " +
                                  metric + " desc nulls last, run_id, unit) from units"))
        << metric;
  }
}

TEST_F(ListUnitsTest, DefaultsToTheTwentyBest) {
  const auto response = Ask({});
  EXPECT_EQ(response.units_size(), 20);
  EXPECT_EQ(response.basis().metric(), "grid_score_60");
  EXPECT_FALSE(response.next_page_token().empty());
}

TEST_F(ListUnitsTest, RefusesForeignTokensAndLargePages) {
  const auto error_of = [](const v1::ListUnitsRequest& request) {
    grpc::ClientContext context;
    v1::ListUnitsResponse response;
    const auto status = world_->stub().ListUnits(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::ListUnitsRequest request;
  request.set_page_token("no token");
  EXPECT_THAT(error_of(request), HasSubstr("page_token: no token of ListUnits"));
  std::string forged;
  absl::WebSafeBase64Escape(R"({"question": "", "after": [{"key": [], "at": ["0.5", 1e300, 0]}]})",
                            &forged);
  request.set_page_token(forged);
  EXPECT_THAT(error_of(request), HasSubstr("page_token: no token of ListUnits"));
  request.set_page_token(Ask({}).next_page_token());
  request.set_ascending(true);
  EXPECT_THAT(error_of(request), HasSubstr("belongs to another question"));
  request.Clear();
  request.set_page_size(10'001);
  EXPECT_THAT(error_of(request), HasSubstr("page_size: 10001"));
  request.Clear();
  request.set_metric("loss");
  EXPECT_THAT(error_of(request), HasSubstr("metric of runs"));
}

TEST(ListUnitsSize, APageIsCutToFitAMessage) {
  ResultWorld world;
  RunSpec spec;
  for (int i = 0; i < 9000; ++i) spec.scores.push_back(i / 9000.0);
  world.AddSweep({spec});
  v1::ListUnitsRequest request;
  request.set_page_size(10'000);
  int total = 0, pages = 0;
  do {
    grpc::ClientContext context;
    v1::ListUnitsResponse response;
    const auto status = world.stub().ListUnits(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    total += response.units_size();
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(total, 9000);
  EXPECT_GT(pages, 1);
}

}  // namespace
}  // namespace gridsweep::analysis
