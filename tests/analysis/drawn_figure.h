// A panel as RenderFigure answers it.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {

using Json = nlohmann::ordered_json;

struct Answer {
  grpc::Status status;
  v1::FigureHeader header;
  std::string bytes;
  size_t largest_chunk = 0;
  Json document() const { return Json::parse(bytes); }
};

inline Answer Draw(
    ResultWorld& world, const std::string& figure, const v1::Selection& where = {},
    v1::RenderFigureRequest::Format format = v1::RenderFigureRequest::FORMAT_UNSPECIFIED) {
  v1::RenderFigureRequest request;
  request.set_figure(figure);
  *request.mutable_where() = where;
  request.set_format(format);
  grpc::ClientContext context;
  auto stream = world.stub().RenderFigure(&context, request);
  Answer answer;
  v1::RenderFigureResponse part;
  bool first = true;
  while (stream->Read(&part)) {
    EXPECT_EQ(part.has_header(), first) << "the header comes first, once";
    first = false;
    if (part.has_header()) answer.header = part.header();
    answer.bytes += part.chunk();
    answer.largest_chunk = std::max(answer.largest_chunk, part.chunk().size());
  }
  answer.status = stream->Finish();
  return answer;
}

// Four significant digits are drawn.
inline void ExpectDrawn(double drawn, double counted) {
  EXPECT_NEAR(drawn, counted, 5.1e-4 * std::abs(counted));
}

}  // namespace gridsweep::analysis
