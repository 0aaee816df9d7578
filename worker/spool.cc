#include "worker/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFirstLine = "gridsweep-spool 1\n";
constexpr size_t kHashBytes = 32;
constexpr uint64_t kMostHeaderBytes = 4 << 20;  // as a message of its stream
constexpr char kResult[] = ".result", kLeft[] = ".left", kPartial[] = ".partial",
               kSetAside[] = ".set-aside";

absl::Status Errno(std::string_view what, const fs::path& path) {
  const std::string message = StrCat(what, " ", path.string(), ": ", std::strerror(errno));
  return errno == ENOSPC || errno == EDQUOT ? absl::UnavailableError(message)
                                            : absl::InternalError(message);
}

// A file's name: no separators, and not hidden.
std::string Escaped(const std::string& name) {
  std::string escaped;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                       (c == '.' && !escaped.empty());
    escaped += plain ? std::string(1, c) : StrCat("%", ToHex({&c, 1}));
  }
  return escaped;
}

void AppendPart(std::string& out, std::string_view bytes) {
  for (int shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>(static_cast<uint64_t>(bytes.size()) >> shift);
  }
  out += bytes;
}

std::optional<std::string_view> TakePart(std::string_view& in) {
  if (in.size() < 8) return std::nullopt;
  uint64_t size = 0;
  for (size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(in[i]);
  in.remove_prefix(8);
  if (in.size() < size) return std::nullopt;
  const std::string_view part = in.substr(0, size);
  in.remove_prefix(size);
  return part;
}

std::string Encode(const std::string& first, const std::string& second, const std::string& third) {
  std::string parts;
  for (const std::string* part : {&first, &second, &third}) AppendPart(parts, *part);
  return StrCat(kFirstLine, Sha256::Of(parts), parts);
}

std::optional<std::array<std::string_view, 3>> Decode(std::string_view bytes) {
  const size_t start = kFirstLine.size() + kHashBytes;
  if (bytes.size() < start || bytes.substr(0, kFirstLine.size()) != kFirstLine) return std::nullopt;
  std::string_view rest = bytes.substr(start);
  if (Sha256::Of(rest) != bytes.substr(kFirstLine.size(), kHashBytes)) return std::nullopt;
  std::array<std::string_view, 3> parts;
  for (std::string_view& part : parts) {
    const auto taken = TakePart(rest);
    if (!taken) return std::nullopt;
    part = *taken;
  }
  return parts;
}

bool Parse(std::string_view bytes, google::protobuf::Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

absl::Status WriteAndSync(const fs::path& path, std::string_view bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Errno("cannot create", path);
  absl::Status status;
  while (!bytes.empty() && status.ok()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      status = Errno("cannot write", path);
    } else {
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  if (status.ok() && fsync(fd) != 0) status = Errno("cannot sync", path);
  close(fd);
  return status;
}

absl::Status SyncDirectory(const fs::path& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Errno("cannot open", directory);
  const bool ok = fsync(fd) == 0;
  close(fd);
  return ok ? absl::OkStatus() : Errno("cannot sync", directory);
}

}  // namespace

absl::StatusOr<fs::path> SpoolDirectory(const std::string& given, const std::string& name) {
  if (!given.empty()) return fs::path(given) / Escaped(name);
  const auto set = [](const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr ? std::string(value) : "";
  };
  if (const std::string state = set("XDG_STATE_HOME"); !state.empty()) {
    return fs::path(state) / "gridsweep" / "spool" / Escaped(name);
  }
  if (const std::string home = set("HOME"); !home.empty()) {
    return fs::path(home) / ".local" / "state" / "gridsweep" / "spool" / Escaped(name);
  }
  return absl::FailedPreconditionError("neither --spool nor XDG_STATE_HOME nor HOME is set");
}

absl::StatusOr<Spool> Spool::Open(fs::path directory, uint64_t limit_bytes) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error || access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return absl::FailedPreconditionError(
        StrCat("cannot write to ", directory.string(), ": ",
               error ? error.message() : std::string(std::strerror(errno))));
  }
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() == kPartial) fs::remove(entry.path(), error);
  }
  return Spool(std::move(directory), limit_bytes);
}

std::vector<fs::path> Spool::List() const {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const fs::path extension = entry.path().extension();
    if (extension != kResult && extension != kLeft) continue;
    found.emplace_back(entry.last_write_time(error), entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> files;
  for (auto& [time, path] : found) files.push_back(std::move(path));
  return files;
}

absl::StatusOr<fs::path> Spool::Write(const FinishedRun& run) {
  v1::UnitBlock units;
  for (const UnitColumn& column : run.units) {
    v1::MetricColumn& values = *units.add_columns();
    values.set_metric(column.metric);
    values.mutable_value()->Add(column.values.begin(), column.values.end());
  }
  return WriteBytes(
      run.ref(), kResult,
      Encode(run.header.SerializeAsString(), units.SerializeAsString(), run.artifact));
}

absl::StatusOr<fs::path> Spool::Write(const LeftRun& run) {
  return WriteBytes(
      run.ref, kLeft,
      Encode(run.ref.SerializeAsString(), run.checkpoint.SerializeAsString(), run.bytes));
}

absl::StatusOr<fs::path> Spool::WriteBytes(const v1::LeaseRef& ref, const char* extension,
                                           const std::string& bytes) {
  uint64_t used = 0;
  std::error_code error;
  for (const fs::path& file : List()) {
    const uint64_t size = fs::file_size(file, error);
    if (!error) used += size;
  }
  if (used + bytes.size() > limit_bytes_) {
    return absl::ResourceExhaustedError(
        StrCat(directory_.string(), " holds ", used / 1000, " kB, and ", bytes.size() / 1000,
               " kB more would exceed --spool-limit ", limit_bytes_ / 1000, " kB"));
  }
  const fs::path file = directory_ / StrCat("run-", ref.run_id(), "-attempt-", ref.attempt(), "-",
                                            ToHex(ref.token()).substr(0, 8), extension);
  fs::path partial = file;
  partial.replace_extension(kPartial);
  absl::Status status = WriteAndSync(partial, bytes);
  if (status.ok() && rename(partial.c_str(), file.c_str()) != 0) {
    status = Errno("cannot rename to", file);
  }
  if (!status.ok()) {
    unlink(partial.c_str());
    return status;
  }
  RETURN_IF_ERROR(SyncDirectory(directory_));
  return file;
}

std::optional<v1::LeaseRef> Spool::LeaseOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  // Up to the end of the first part.
  const size_t start = kFirstLine.size() + kHashBytes;
  std::string bytes(start + 8, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  uint64_t size = 0;
  for (size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(bytes[start + i]);
  if (!in || size > kMostHeaderBytes || bytes.rfind(kFirstLine, 0) != 0) return std::nullopt;
  std::string first(size, '\0');
  in.read(first.data(), static_cast<std::streamsize>(first.size()));
  v1::LeaseRef ref;
  v1::CompleteRunRequest::Header header;
  const bool left = file.extension() == kLeft;
  if (!in || !(left ? Parse(first, ref) : Parse(first, header))) return std::nullopt;
  if (!left) ref = header.ref();
  return ref.token().empty() ? std::nullopt : std::optional(ref);
}

absl::StatusOr<std::variant<FinishedRun, LeftRun>> Spool::Read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  if (const auto parts = Decode(bytes)) {
    const auto& [first, second, third] = *parts;
    if (file.extension() == kLeft) {
      LeftRun run;
      run.bytes = third;
      if (Parse(first, run.ref) && Parse(second, run.checkpoint)) return run;
    } else {
      FinishedRun run;
      run.artifact = third;
      v1::UnitBlock units;
      if (Parse(first, run.header) && Parse(second, units)) {
        for (const v1::MetricColumn& column : units.columns()) {
          run.units.push_back({column.metric(), {column.value().begin(), column.value().end()}});
        }
        return run;
      }
    }
  }
  return absl::DataLossError(
      StrCat(file.string(), " is damaged: its ", bytes.size(), " bytes are not what was written"));
}

void Spool::Remove(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
}

fs::path Spool::SetAside(const fs::path& file) {
  fs::path aside = file;
  aside += kSetAside;
  std::error_code error;
  fs::rename(file, aside, error);
  return aside;
}

}  // namespace gridsweep::worker
