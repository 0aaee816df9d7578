// What a program counts and measures, in Prometheus' text format.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

namespace gridsweep {

// Metrics of one program, or of one server in a test. Who counts keeps the references, which live
// as long as this does: looking a metric up by its labels costs a map and a lock. Thread-safe.
class Metrics {
 public:
  // With gridsweep_build_info{program, version} = 1.
  Metrics(const std::string& program, const std::string& version);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The metric of that name and these labels, made at the first call. Labels have few values: no id
  // of a run, a unit or a sweep. Names end in their unit; counters in _total.
  prometheus::Counter& Counter(const std::string& name, const std::string& help,
                               const prometheus::Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help,
                           const prometheus::Labels& labels = {});
  // `buckets`: upper bounds, growing, +Inf apart.
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                   const prometheus::Histogram::BucketBoundaries& buckets,
                                   const prometheus::Labels& labels = {});

  // All of them, as GET /metrics answers.
  std::string Text() const;

 private:
  prometheus::Registry registry_;
};

// Upper bounds for seconds, from a millisecond to two minutes.
const prometheus::Histogram::BucketBoundaries& SecondsBuckets();

}  // namespace gridsweep
