// AnalysisService: answers from stored results. It reads the database and the
// artifact directory and writes nothing.
#pragma once

#include <memory>

#include "analysis/figures/renderer.h"
#include "analysis/lane.h"
#include "analysis/queries/database.h"
#include "analysis/result_file.h"
#include "common/artifact_store.h"
#include "gridsweep/v1/analysis.grpc.pb.h"

namespace gridsweep::analysis {

// Requests are checked on gRPC's threads; all that waits for the database, the
// disk or the processor is done on two lanes: `query` for single answers,
// `stream` for ratemaps, figures, verification, recordings and theory, so that a long verification
// delays no table. Clients take turns. A full lane, and a client that has as many calls in flight
// as it may, hear RESOURCE_EXHAUSTED with RetryInfo.
class AnalysisServiceImpl : public v1::AnalysisService::CallbackService {
 public:
  struct Options {
    Database::Options database;
    std::filesystem::path artifacts;  // the directory that `store` reads
    Renderer::Options renderer;
    LaneSettings query{.threads = 4, .spared = 1}, stream{.threads = 3, .spared = 1};
  };
  // `gate`, which outlives it, may be null: callers have no names then.
  AnalysisServiceImpl(Options options, std::unique_ptr<ArtifactStore> store,
                      std::unique_ptr<hdf5::Reader> reader, const TokenGate* gate = nullptr);

  grpc::ServerUnaryReactor* Fraction(grpc::CallbackServerContext* context,
                                     const v1::FractionRequest* request,
                                     v1::FractionResponse* response) override;
  grpc::ServerUnaryReactor* Summarize(grpc::CallbackServerContext* context,
                                      const v1::SummarizeRequest* request,
                                      v1::SummarizeResponse* response) override;
  grpc::ServerUnaryReactor* ListUnits(grpc::CallbackServerContext* context,
                                      const v1::ListUnitsRequest* request,
                                      v1::ListUnitsResponse* response) override;
  grpc::ServerWriteReactor<v1::GetRatemapsResponse>* GetRatemaps(
      grpc::CallbackServerContext* context, const v1::GetRatemapsRequest* request) override;
  grpc::ServerWriteReactor<v1::VerifySweepResponse>* VerifySweep(
      grpc::CallbackServerContext* context, const v1::VerifySweepRequest* request) override;
  grpc::ServerUnaryReactor* ComparePublished(grpc::CallbackServerContext* context,
                                             const v1::ComparePublishedRequest* request,
                                             v1::ComparePublishedResponse* response) override;
  grpc::ServerUnaryReactor* NeuralPredictivity(grpc::CallbackServerContext* context,
                                               const v1::NeuralPredictivityRequest* request,
                                               v1::NeuralPredictivityResponse* response) override;
  grpc::ServerBidiReactor<v1::PredictRecordingsRequest, v1::PredictRecordingsResponse>*
  PredictRecordings(grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<v1::ReadoutTheoryResponse>* ReadoutTheory(
      grpc::CallbackServerContext* context, const v1::ReadoutTheoryRequest* request) override;
  grpc::ServerWriteReactor<v1::RenderFigureResponse>* RenderFigure(
      grpc::CallbackServerContext* context, const v1::RenderFigureRequest* request) override;
  grpc::ServerUnaryReactor* ListMetrics(grpc::CallbackServerContext* context,
                                        const v1::ListMetricsRequest* request,
                                        v1::ListMetricsResponse* response) override;

 private:
  const Options options_;
  const std::unique_ptr<ArtifactStore> store_;
  const std::unique_ptr<hdf5::Reader> reader_;
  const ResultFiles files_;
  const Renderer renderer_;
  Database query_database_, stream_database_;
  Lane query_lane_, stream_lane_;  // last: their threads use all of the above
};

}  // namespace gridsweep::analysis
