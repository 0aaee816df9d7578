#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

class NeuralPredictivity : public ::testing::Test {
 protected:
  static RunSpec Run(const std::string& rnn_type, const std::string& activation, int n_epochs,
                     std::optional<double> participation_ratio, int64_t seed = 0) {
    RunSpec spec;
    spec.rnn_type = rnn_type;
    spec.activation = activation;
    spec.n_epochs = n_epochs;
    spec.seed = seed;
    spec.scores = {0.5};
    spec.participation_ratio_ratemaps = participation_ratio;
    return spec;
  }
  grpc::Status Ask(const v1::Selection& where, v1::NeuralPredictivityResponse& response) {
    v1::NeuralPredictivityRequest request;
    *request.mutable_where() = where;
    grpc::ClientContext context;
    return world_.stub().NeuralPredictivity(&context, request, &response);
  }
  v1::NeuralPredictivityResponse Ask(const std::string& filter = "") {
    v1::Selection where;
    where.set_filter(filter);
    v1::NeuralPredictivityResponse response;
    const grpc::Status status = Ask(where, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static const v1::NeuralPredictivityResponse::Row& RowOf(
      const v1::NeuralPredictivityResponse& response, const std::string& rnn_type,
      const std::string& activation) {
    for (const auto& row : response.rows()) {
      if (row.rnn_type() == rnn_type && row.activation() == activation) return row;
    }
    ADD_FAILURE() << "no row " << rnn_type << " " << activation;
    return response.rows(0);
  }

  ResultWorld world_;
};

TEST_F(NeuralPredictivity, SetsMeansOverRunsBesideThePublishedValueOfTheirTraining) {
  RunSpec failed = Run("LSTM", "relu", 2, std::nullopt, 4), diverged = failed;
  failed.state = "failed";
  diverged.state = "diverged";
  diverged.seed = 5;
  world_.AddSweep({Run("LSTM", "relu", 2, 8, 0), Run("LSTM", "relu", 1, 9, 1),
                   Run("LSTM", "relu", 2, 13, 2), Run("LSTM", "relu", 2, std::nullopt, 3), failed,
                   diverged, Run("LSTM", "relu", 0, 3, 0)});
  const auto response = Ask();
  EXPECT_EQ(response.basis().metric(), "participation_ratio_ratemaps");
  EXPECT_THAT(response.published_source(), HasSubstr("Nayebi et al. 2021"));
  EXPECT_EQ(response.rows_size(), 20);
  const auto& row = RowOf(response, "LSTM", "relu");
  EXPECT_EQ(row.trained().published(), 0.79);
  EXPECT_EQ(row.untrained().published(), 0.64);
  EXPECT_EQ(row.trained().ours().n(), 3) << "a run without the metric is in no mean";
  EXPECT_DOUBLE_EQ(row.trained().ours().mean(), 10);
  EXPECT_NEAR(row.trained().ours().sem(), std::sqrt(7.0 / 3), 1e-12);  // variance 7
  EXPECT_EQ(row.trained().coverage().runs_total(), 6);
  EXPECT_EQ(row.trained().coverage().finished(), 4);
  EXPECT_EQ(row.trained().coverage().failed(), 1);
  EXPECT_EQ(row.trained().coverage().diverged(), 1);
  EXPECT_EQ(row.trained().coverage().nulls(), 1);
  EXPECT_EQ(row.untrained().ours().n(), 1);
  EXPECT_EQ(row.untrained().ours().mean(), 3);
  EXPECT_FALSE(row.untrained().ours().has_sem());
  const auto& other = RowOf(response, "GRU", "sigmoid");
  EXPECT_EQ(other.trained().published(), 0.75);
  EXPECT_EQ(other.trained().ours().n(), 0);
  EXPECT_FALSE(other.trained().ours().has_mean());
  EXPECT_FALSE(other.trained().has_coverage());
  for (const auto& correlation : response.correlations()) {
    EXPECT_EQ(correlation.n(), 1);
    EXPECT_FALSE(correlation.has_pearson()) << "one row correlates with nothing";
  }
}

TEST_F(NeuralPredictivity, CorrelatesRowsThatHaveBothNumbers) {
  // The participation ratios of the published figure; BaninoLSTM is in no published row.
  world_.AddSweep({Run("RNN", "relu", 2, 3.5), Run("SRNN", "relu", 2, 4.9),
                   Run("LSTM", "relu", 2, 8.8), Run("GRU", "relu", 2, 9.4),
                   Run("UGRNN", "relu", 2, 16.6), Run("BaninoLSTM", "tanh", 2, 99),
                   Run("UGRNN", "tanh", 0, 1), Run("GRU", "tanh", 0, 2), Run("LSTM", "tanh", 0, 3),
                   Run("SRNN", "tanh", 0, 4)});
  const auto response = Ask();
  EXPECT_EQ(response.rows_size(), 21);
  EXPECT_EQ(response.rows(20).rnn_type(), "BaninoLSTM");
  EXPECT_FALSE(response.rows(20).trained().has_published());
  ASSERT_EQ(response.correlations_size(), 2);
  const auto& trained = response.correlations(0);
  EXPECT_EQ(trained.of(), "trained");
  EXPECT_EQ(trained.n(), 5);
  EXPECT_NEAR(trained.pearson(), 0.7192497161377859, 1e-12);  // scipy 1.10
  EXPECT_NEAR(trained.spearman(), 0.7, 1e-12);
  const auto& untrained = response.correlations(1);
  EXPECT_EQ(untrained.of(), "untrained");
  EXPECT_EQ(untrained.n(), 4);
  EXPECT_LT(untrained.pearson(), -0.9) << "0.56, 0.42, 0.42, 0.25 against 1, 2, 3, 4";
  EXPECT_EQ(Ask("activation = relu").correlations(1).n(), 0);
}

TEST_F(NeuralPredictivity, NarrowsToTheFilterAndRefusesGroupsAndUnknownSweeps) {
  world_.AddSweep({Run("RNN", "relu", 2, 3, 0), Run("RNN", "relu", 2, 5, 1)});
  EXPECT_EQ(RowOf(Ask("seed = 1"), "RNN", "relu").trained().ours().mean(), 5);
  v1::NeuralPredictivityResponse response;
  v1::Selection where;
  where.add_group_by("seed");
  EXPECT_EQ(Ask(where, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  where.clear_group_by();
  where.add_sweep_ids(99);
  EXPECT_EQ(Ask(where, response).error_code(), grpc::StatusCode::NOT_FOUND);
  where.clear_sweep_ids();
  where.set_filter("speed = 1");
  const grpc::Status status = Ask(where, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("where.filter"));
}

}  // namespace
}  // namespace gridsweep::analysis
