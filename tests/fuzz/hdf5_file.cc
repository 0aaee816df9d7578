// Described HDF5 files, through everything that reads them: checkpoints, result files, and the
// maps that a user hands in.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>

#include "analysis/result_file.h"
#include "common/strings.h"
#include "hdf5/image.h"
#include "hdf5/layout.h"
#include "sweepctl/hdf5_maps.h"
#include "tests/fuzz/described_file.h"
#include "tests/fuzz/promise.h"
#include "worker/checkpoint.h"

namespace gridsweep::fuzz {
namespace {

constexpr uint64_t kMostRead = 16 << 20;

template <class Answer>
const Answer* Read(const absl::StatusOr<Answer>& answer) {
  Promise(answer.ok() || IsText(std::string(answer.status().message())), "an error is text");
  return answer.ok() ? &*answer : nullptr;
}

void CheckStructure(const hdf5::File& file) {
  const absl::Status status = hdf5::CheckLayout(file.objects());
  Promise(IsText(std::string(status.message())), "an error is text");
  const auto listed = hdf5::Decode(hdf5::Encode(file.objects()), SIZE_MAX);
  Promise(listed.ok() && listed->size() == file.objects().size(), "a list comes back");
}

void ReadCheckpoint(const hdf5::File& file) {
  const auto decoded = worker::DecodeCheckpoint(DescribedConfig(), file);
  if (const auto* checkpoint = Read(decoded)) {
    for (const auto& parameter : checkpoint->training.parameters) {
      const auto size = std::accumulate(parameter.shape.begin(), parameter.shape.end(), int64_t{1},
                                        std::multiplies<>());
      Promise(static_cast<int64_t>(parameter.value.size()) == size, "a parameter has its shape",
              parameter.name);
    }
    for (const auto* curve : {&checkpoint->stored_curve, &checkpoint->artifact_curve}) {
      Promise(curve->stride >= 1 && curve->evaluation_stride >= 1, "strides are of a curve");
    }
  }
  for (const char* path : kPaths) {
    Read(file.Read<uint64_t>(StrCat("/", path), kMostRead));
    Read(file.Read<float>(StrCat("/", path), kMostRead));
  }
}

void ReadResult(const analysis::ResultFile& file) {
  for (const int nbins : {44, 20}) {
    const size_t bins = static_cast<size_t>(nbins) * nbins;
    if (const auto map = file.Ratemap(nbins, 1); Read(map)) {
      Promise(map->size() == bins, "a map has its bins");
    }
    if (const auto maps = file.Ratemaps(nbins); Read(maps)) {
      Promise(maps->size() % bins == 0, "maps have their bins");
    }
  }
  for (const char* dataset : kPaths) Read(file.Numbers(StrCat("/", dataset)));
  for (const char* attribute : kAttributes) {
    Read(file.TextAttribute(attribute));
    file.Metric(attribute);
  }
}

void ReadMaps(const sweepctl::Hdf5Maps& maps) {
  for (const sweepctl::MapStack& stack : maps.stacks()) {
    Promise(maps.Find("/" + stack.name).ok(), "a stack is found", stack.name);
    const size_t count = std::min<size_t>(stack.units, 2);
    if (const auto values = maps.Read(stack, stack.units - count, count); Read(values)) {
      Promise(values->size() == count * static_cast<size_t>(stack.nbins) * stack.nbins,
              "a stack has its maps", stack.name);
    }
  }
  for (const auto& skipped : maps.skipped()) {
    Promise(!skipped.why.empty(), "what is skipped is so for a reason", skipped.name);
    Promise(!maps.Find(skipped.name).ok(), "what is skipped is not found", skipped.name);
  }
  Promise(!maps.Find("none").ok(), "what is not there is not found");
  if (maps.stacks().empty()) Read(absl::StatusOr<int>(maps.NoStacks()));
}

}  // namespace
}  // namespace gridsweep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep::fuzz;
  const std::string bytes = DescribedFile(data, size);
  auto file = gridsweep::hdf5::OpenImage(bytes);
  if (!Read(file)) return 0;
  CheckStructure(*file);
  ReadCheckpoint(*file);
  ReadResult(gridsweep::analysis::ResultFile(*gridsweep::hdf5::OpenImage(bytes)));
  ReadMaps(gridsweep::sweepctl::Hdf5Maps(*std::move(file), "described.h5"));
  return 0;
}
