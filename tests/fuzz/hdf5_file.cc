// Described HDF5 files, through everything that reads them: checkpoints, result files, and the
// maps that a user hands in.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>

#include "analysis/result_file.h"
#include "common/strings.h"
#include "sweepctl/hdf5_maps.h"
#include "tests/fuzz/described_file.h"
#include "tests/fuzz/promise.h"
#include "tests/support/temporary_directory.h"
#include "worker/checkpoint.h"
#include "worker/hdf5_file.h"

namespace gridsweep::fuzz {
namespace {

// A file for who reads from a path, for as long as it lives.
class NamedFile {
 public:
  explicit NamedFile(const std::string& bytes) : path_(directory_ / "file.h5") {
    std::ofstream file(path_, std::ios::binary);
    file << bytes;
    file.close();
    Promise(file.good(), "the file is written", path_.string());
  }
  NamedFile(const NamedFile&) = delete;
  NamedFile& operator=(const NamedFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  const testing::TemporaryDirectory directory_;
  const std::filesystem::path path_;
};

template <class Answer>
const Answer* Read(const absl::StatusOr<Answer>& answer) {
  Promise(answer.ok() || IsText(std::string(answer.status().message())), "an error is text");
  return answer.ok() ? &*answer : nullptr;
}

void ReadCheckpoint(const std::string& bytes) {
  const auto decoded = worker::DecodeCheckpoint(DescribedConfig(), bytes);
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
  const auto file = worker::Hdf5Reader::Open(bytes);
  if (!Read(file)) return;
  for (const char* path : kPaths) {
    if (file->Has(path)) Read(file->Counts(path));
  }
}

void ReadResult(const std::filesystem::path& path) {
  const auto file = analysis::ResultFile::Open(path);
  if (!Read(file)) return;
  for (const int nbins : {44, 20}) {
    const size_t bins = static_cast<size_t>(nbins) * nbins;
    if (const auto map = file->Ratemap(nbins, 1); Read(map)) {
      Promise(map->size() == bins, "a map has its bins");
    }
    if (const auto maps = file->Ratemaps(nbins); Read(maps)) {
      Promise(maps->size() % bins == 0, "maps have their bins");
    }
  }
  for (const char* dataset : kPaths) Read(file->Numbers(StrCat("/", dataset)));
  for (const char* attribute : kAttributes) {
    Read(file->TextAttribute(attribute));
    file->Metric(attribute);
  }
}

void ReadMaps(const std::string& path) {
  Promise(!sweepctl::Hdf5Maps::Open(path + ".none").ok(), "what is not there does not open");
  const auto maps = sweepctl::Hdf5Maps::Open(path);
  if (!Read(maps)) return;
  for (const sweepctl::MapStack& stack : (*maps)->stacks()) {
    Promise((*maps)->Find("/" + stack.name).ok(), "a stack is found", stack.name);
    const size_t count = std::min<size_t>(stack.units, 2);
    if (const auto values = (*maps)->Read(stack, stack.units - count, count); Read(values)) {
      Promise(values->size() == count * static_cast<size_t>(stack.nbins) * stack.nbins,
              "a stack has its maps", stack.name);
    }
  }
  for (const auto& skipped : (*maps)->skipped()) {
    Promise(!skipped.why.empty(), "what is skipped is so for a reason", skipped.name);
    Promise(!(*maps)->Find(skipped.name).ok(), "what is skipped is not found", skipped.name);
  }
  Promise(!(*maps)->Find("none").ok(), "what is not there is not found");
  if ((*maps)->stacks().empty()) Read(absl::StatusOr<int>((*maps)->NoStacks()));
}

}  // namespace
}  // namespace gridsweep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep::fuzz;
  const std::string bytes = DescribedFile(data, size);
  ReadCheckpoint(bytes);
  const NamedFile file(bytes);
  ReadResult(file.path());
  ReadMaps(file.path());
  return 0;
}
