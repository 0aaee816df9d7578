#include "analysis/service.h"

#include "analysis/compare/compare_published.h"
#include "analysis/compare/neural_predictivity.h"
#include "analysis/get_ratemaps.h"
#include "analysis/lane_reactors.h"
#include "analysis/predict_recordings.h"
#include "analysis/queries/fraction.h"
#include "analysis/queries/list_units.h"
#include "analysis/queries/summarize.h"
#include "analysis/readout_theory.h"
#include "analysis/render_figure.h"
#include "analysis/verify/verify_job.h"
#include "common/status.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {
namespace {

// Ends a call at once.
grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext* context,
                                    const absl::Status& status) {
  auto* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// Runs `answer(snapshot, question)` on the lane, in one snapshot.
template <typename Response, typename Question>
grpc::ServerUnaryReactor* AnswerQuestion(grpc::CallbackServerContext* context, Lane& lane,
                                         Database& database, Response* response, Question question,
                                         absl::StatusOr<Response> (*answer)(Snapshot&,
                                                                            const Question&)) {
  return AnswerOnLane<Response>(
      context, lane, response,
      [context, &database, question = std::move(question),
       answer](int thread) -> absl::StatusOr<Response> {
        Response found;
        RETURN_IF_ERROR(database.Read(
            thread,
            [&](Snapshot& snapshot) -> absl::Status {
              ASSIGN_OR_RETURN(found, answer(snapshot, question));
              return absl::OkStatus();
            },
            [context] { return context->IsCancelled(); }));
        return found;
      });
}

// A stream that is refused before it begins.
template <typename Response>
class RefusedStream : public grpc::ServerWriteReactor<Response> {
 public:
  explicit RefusedStream(const absl::Status& status) { this->Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

AnalysisServiceImpl::AnalysisServiceImpl(Options options, std::unique_ptr<ArtifactStore> store,
                                         std::unique_ptr<hdf5::Reader> reader,
                                         const TokenGate* gate)
    : options_(std::move(options)),
      store_(std::move(store)),
      reader_(std::move(reader)),
      files_(*store_, *reader_),
      renderer_(options_.renderer),
      query_database_(options_.database, options_.query.threads),
      stream_database_(options_.database, options_.stream.threads),
      query_lane_("query", options_.query, gate),
      stream_lane_("stream", options_.stream, gate) {}

grpc::ServerUnaryReactor* AnalysisServiceImpl::Fraction(grpc::CallbackServerContext* context,
                                                        const v1::FractionRequest* request,
                                                        v1::FractionResponse* response) {
  auto question = ParseFraction(*request);
  if (!question.ok()) return FinishNow(context, question.status());
  return AnswerQuestion(context, query_lane_, query_database_, response, *std::move(question),
                        AnswerFraction);
}

grpc::ServerUnaryReactor* AnalysisServiceImpl::Summarize(grpc::CallbackServerContext* context,
                                                         const v1::SummarizeRequest* request,
                                                         v1::SummarizeResponse* response) {
  auto question = ParseSummarize(*request);
  if (!question.ok()) return FinishNow(context, question.status());
  return AnswerQuestion(context, query_lane_, query_database_, response, *std::move(question),
                        AnswerSummarize);
}

grpc::ServerUnaryReactor* AnalysisServiceImpl::ListUnits(grpc::CallbackServerContext* context,
                                                         const v1::ListUnitsRequest* request,
                                                         v1::ListUnitsResponse* response) {
  auto question = ParseListUnits(*request, "");
  if (!question.ok()) return FinishNow(context, question.status());
  return AnswerQuestion(context, query_lane_, query_database_, response, *std::move(question),
                        AnswerListUnits);
}

grpc::ServerWriteReactor<v1::GetRatemapsResponse>* AnalysisServiceImpl::GetRatemaps(
    grpc::CallbackServerContext* context, const v1::GetRatemapsRequest* request) {
  auto question = ParseGetRatemaps(*request);
  if (!question.ok()) return new RefusedStream<v1::GetRatemapsResponse>(question.status());
  return new LaneStream<v1::GetRatemapsResponse>(
      context, stream_lane_, MakeRatemapsJob(stream_database_, files_, *std::move(question)));
}

grpc::ServerWriteReactor<v1::VerifySweepResponse>* AnalysisServiceImpl::VerifySweep(
    grpc::CallbackServerContext* context, const v1::VerifySweepRequest* request) {
  return new LaneStream<v1::VerifySweepResponse>(
      context, stream_lane_,
      MakeVerifyJob(stream_database_, options_.artifacts, files_, request->sweep_id()));
}

grpc::ServerUnaryReactor* AnalysisServiceImpl::ComparePublished(
    grpc::CallbackServerContext* context, const v1::ComparePublishedRequest* request,
    v1::ComparePublishedResponse* response) {
  auto question = ParseCompare(*request);
  if (!question.ok()) return FinishNow(context, question.status());
  return AnswerQuestion(context, query_lane_, query_database_, response, *std::move(question),
                        AnswerCompare);
}

grpc::ServerUnaryReactor* AnalysisServiceImpl::NeuralPredictivity(
    grpc::CallbackServerContext* context, const v1::NeuralPredictivityRequest* request,
    v1::NeuralPredictivityResponse* response) {
  auto question = ParsePredictivity(*request);
  if (!question.ok()) return FinishNow(context, question.status());
  return AnswerQuestion(context, query_lane_, query_database_, response, *std::move(question),
                        AnswerPredictivity);
}

grpc::ServerBidiReactor<v1::PredictRecordingsRequest, v1::PredictRecordingsResponse>*
AnalysisServiceImpl::PredictRecordings(grpc::CallbackServerContext* context) {
  return new LaneDialogue<v1::PredictRecordingsRequest, v1::PredictRecordingsResponse>(
      context, stream_lane_, MakeRecordingsQuestion(stream_database_, files_));
}

grpc::ServerWriteReactor<v1::ReadoutTheoryResponse>* AnalysisServiceImpl::ReadoutTheory(
    grpc::CallbackServerContext* context, const v1::ReadoutTheoryRequest* request) {
  auto question = ParseReadoutTheory(*request);
  if (!question.ok()) return new RefusedStream<v1::ReadoutTheoryResponse>(question.status());
  return new LaneStream<v1::ReadoutTheoryResponse>(
      context, stream_lane_, MakeTheoryJob(stream_database_, *std::move(question)));
}

grpc::ServerWriteReactor<v1::RenderFigureResponse>* AnalysisServiceImpl::RenderFigure(
    grpc::CallbackServerContext* context, const v1::RenderFigureRequest* request) {
  auto question = ParseRenderFigure(*request);
  if (!question.ok()) return new RefusedStream<v1::RenderFigureResponse>(question.status());
  return new LaneStream<v1::RenderFigureResponse>(
      context, stream_lane_,
      MakeFigureJob(stream_database_, files_, renderer_, *std::move(question)));
}

grpc::ServerUnaryReactor* AnalysisServiceImpl::ListMetrics(grpc::CallbackServerContext* context,
                                                           const v1::ListMetricsRequest*,
                                                           v1::ListMetricsResponse* response) {
  for (const auto& metric : science::Metrics()) {
    auto& out = *response->add_metrics();
    out.set_name(std::string(metric.name));
    out.set_level(metric.level == science::MetricLevel::kUnit ? "unit" : "run");
    out.set_definition(std::string(metric.definition));
    out.set_unit(std::string(metric.unit));
    out.set_binned(metric.binned);
  }
  return FinishNow(context, absl::OkStatus());
}

}  // namespace gridsweep::analysis
