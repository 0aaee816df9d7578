// The worker's plain structs as messages.
#pragma once

#include "gridsweep/v1/dispatch.pb.h"
#include "worker/run_monitor.h"
#include "worker/run_result.h"

namespace gridsweep::worker {

v1::Phase ToProto(Phase phase);
// Absent fields where the point has no (finite) number.
v1::CurvePoint ToProto(const CurvePoint& point);
// Everything about a result but its lease and its artifact.
v1::CompleteRunRequest::Header ToProto(const RunResult& result);

}  // namespace gridsweep::worker
