#include "sweepctl/hdf5_maps.h"

#include <utility>

#include "common/status.h"
#include "common/strings.h"
#include "hdf5/reader.h"

namespace gridsweep::sweepctl {
namespace {

constexpr uint64_t kSmallestMap = 4;  // as GridScorer needs
constexpr uint64_t kLargestMap = 512;

std::string Shape(const std::vector<uint64_t>& dims) {
  std::string text = "[";
  for (const uint64_t d : dims) text += (text.size() > 1 ? ", " : "") + std::to_string(d);
  return text + "]";
}

// Why it is no stack of maps; "" where it is one.
std::string WhyNot(const hdf5::Object& object) {
  const std::vector<uint64_t>& dims = object.shape;
  if (!object.refused.empty()) return object.refused;
  if (object.numbers == hdf5::NumberKind::kNone) return "does not hold numbers";
  if (dims.size() != 3 || dims[1] != dims[2]) {
    return StrCat("has shape ", Shape(dims), ", not [units, n, n]");
  }
  if (dims[1] < kSmallestMap || dims[1] > kLargestMap) {
    return StrCat("has maps of ", dims[1], " bins; ", kSmallestMap, " to ", kLargestMap,
                  " can be scored");
  }
  return dims[0] == 0 ? "has no units" : "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Hdf5Maps>> Hdf5Maps::Open(const std::string& file) {
  ASSIGN_OR_RETURN(const auto reader, hdf5::Reader::Start());
  auto opened = reader->Open(file, hdf5::Holding::kAnything);
  if (absl::IsNotFound(opened.status())) {
    return absl::NotFoundError(StrCat(file, ": there is no such file"));
  }
  if (!opened.ok()) {
    return absl::InvalidArgumentError(
        StrCat(file, ": is not an HDF5 file that can be read: ", opened.status().message()));
  }
  return std::make_unique<Hdf5Maps>(*std::move(opened), file);
}

Hdf5Maps::Hdf5Maps(hdf5::File file, std::string name)
    : file_(std::move(file)), path_(std::move(name)) {
  for (const hdf5::Object& object : file_.objects()) {
    if (object.kind == hdf5::Object::Kind::kGroup) continue;
    const std::string in_file = object.path.substr(1);
    if (std::string why = WhyNot(object); !why.empty()) {
      skipped_.push_back({in_file, std::move(why)});
    } else {
      stacks_.push_back({in_file, object.shape[0], static_cast<int>(object.shape[1])});
    }
  }
}

absl::StatusOr<MapStack> Hdf5Maps::Find(std::string name) const {
  if (!name.empty() && name.front() == '/') name.erase(0, 1);
  std::string known;
  for (const MapStack& stack : stacks_) {
    if (stack.name == name) return stack;
    known += (known.empty() ? "" : ", ") + stack.name;
  }
  for (const SkippedDataset& skipped : skipped_) {
    if (skipped.name == name) {
      return absl::InvalidArgumentError(StrCat(path_, ": ", name, " ", skipped.why));
    }
  }
  return absl::NotFoundError(StrCat(path_, ": has no dataset \"", name,
                                    "\"; with ratemaps: ", known.empty() ? "none" : known));
}

absl::Status Hdf5Maps::NoStacks() const {
  return absl::InvalidArgumentError(
      StrCat(path_, ": holds no ratemaps: a dataset of numbers [units, n, n] is needed",
             skipped_.empty() ? " and the file has no dataset" : ""));
}

absl::StatusOr<std::vector<double>> Hdf5Maps::Read(const MapStack& stack, size_t first,
                                                   size_t count) const {
  auto values = file_.ReadRows<double>("/" + stack.name, first, count);
  if (!values.ok()) return absl::DataLossError(StrCat(path_, ": ", values.status().message()));
  return values;
}

}  // namespace gridsweep::sweepctl
