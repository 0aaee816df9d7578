#include "tests/fuzz/hdf5_bytes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "hdf5/layout.h"
#include "hdf5/reader.h"
#include "tests/fuzz/described_file.h"
#include "tests/fuzz/promise.h"
#include "worker/checkpoint.h"

namespace gridsweep::fuzz {
namespace {

constexpr uint64_t kMostRead = 1 << 20;
constexpr int kBases = 3;
// What lengths, offsets and versions are tried with.
constexpr uint64_t kNumbers[] = {0, 1, 7, 8, 255, 256, 65'535, 1 << 20, UINT32_MAX, INT64_MAX,
                                 UINT64_MAX, UINT64_MAX - 7};

class Changes {
 public:
  explicit Changes(std::string_view input) : input_(input) {}
  bool left() const { return !input_.empty(); }
  size_t Take(size_t bytes) {
    size_t value = 0;
    for (; bytes > 0 && left(); --bytes, input_.remove_prefix(1)) {
      value = value << 8 | static_cast<uint8_t>(input_.front());
    }
    return value;
  }

  void One(std::string& file) {
    const size_t at = Take(3) % file.size(), kind = Take(1) % 5;
    switch (kind) {
      case 0:
        file[at] = static_cast<char>(file[at] ^ 1 << Take(1) % 8);
        break;
      case 1:
        file[at] = static_cast<char>(Take(1));
        break;
      case 2: {
        const uint64_t number = kNumbers[Take(1) % std::size(kNumbers)];
        std::memcpy(&file[at], &number, std::min(sizeof number, file.size() - at));
        break;
      }
      case 3: {
        const size_t from = Take(3) % file.size(), size = 1 + Take(1);
        file.replace(at, size, file.substr(from, std::min(size, file.size() - at)));
        break;
      }
      default:
        file.resize(std::max<size_t>(at, 1));
    }
  }

 private:
  std::string_view input_;
};

void PromiseAnswer(const absl::Status& status, Seen& seen) {
  Promise(status.ok() || absl::IsDataLoss(status), "a file is refused as what it is",
          status.ToString());
  Promise(IsText(std::string(status.message())), "an error is text");
  for (const char* end : {"ended the reader", "come to an end"}) {
    seen.died |= status.message().find(end) != absl::string_view::npos;
  }
}

}  // namespace

std::string ChangedFile(std::string_view input) {
  static const auto bases = [] {
    std::array<std::string, kBases> files;
    for (uint8_t i = 0; i < kBases; ++i) files[i] = DescribedFile(&i, 1);
    return files;
  }();
  const auto base = static_cast<uint8_t>(input.empty() ? 0 : input.front());
  input.remove_prefix(std::min<size_t>(input.size(), 1));
  if (base == 0xFF) return std::string(input);
  std::string file = bases[base % kBases];
  Changes changes(input);
  while (changes.left()) changes.One(file);
  return file;
}

Seen ReadAll(const absl::StatusOr<hdf5::File>& file) {
  Seen seen;
  PromiseAnswer(file.status(), seen);
  if (!file.ok()) return seen;
  seen.listed = seen.read = true;
  PromiseAnswer(hdf5::CheckLayout(file->objects()), seen);
  for (const hdf5::Object& object : file->objects()) {
    if (object.kind != hdf5::Object::Kind::kDataset) continue;
    const auto numbers = file->Read<double>(object.path, kMostRead);
    seen.read &= numbers.ok();
    if (absl::IsUnavailable(numbers.status())) break;  // its process had died of an earlier one
    PromiseAnswer(numbers.status(), seen);
  }
  (void)worker::DecodeCheckpoint(DescribedConfig(), *file);
  return seen;
}

Seen ReadByProgram(const std::string& bytes) {
  static const std::unique_ptr<hdf5::Reader> reader = *hdf5::Reader::Start();
  const pid_t pid = reader->pid();
  const Seen seen = ReadAll(reader->OpenBytes(bytes, hdf5::Holding::kAnything));
  Promise(reader->pid() == pid, "the reading program stays up");
  return seen;
}

}  // namespace gridsweep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep::fuzz;
  ReadByProgram(ChangedFile({reinterpret_cast<const char*>(data), size}));
  return 0;
}
