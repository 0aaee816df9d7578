// What a worker owes the coordinators, on its own disk for as long as none of them takes it.
//
// A file is the line "gridsweep-spool 1", the SHA-256 of all that follows, then three
// parts, each a little-endian uint64 of its length and so many bytes:
//   *.result  a v1::CompleteRunRequest::Header, a v1::UnitBlock of all units, the artifact
//   *.left    a v1::LeaseRef, a v1::CheckpointRef and the checkpoint, both empty where there is
//   none
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gridsweep/v1/dispatch.pb.h"
#include "worker/run_result.h"

namespace gridsweep::worker {

// All that a coordinator is told of a run that has ended with a result.
struct FinishedRun {
  v1::CompleteRunRequest::Header header;  // names the lease and the artifact
  std::vector<UnitColumn> units;
  std::string artifact;

  const v1::LeaseRef& ref() const { return header.ref(); }
};

// A run that was stopped half-way, to be given back.
struct LeftRun {
  v1::LeaseRef ref;
  v1::CheckpointRef checkpoint;
  std::string bytes;  // of the checkpoint; empty: none, or the coordinators have it
};

// Where the results of the worker called `name` are kept: a folder of its own under `given`, or,
// when that is empty, under $XDG_STATE_HOME/gridsweep/spool, by default
// ~/.local/state/gridsweep/spool. Errors: FAILED_PRECONDITION where there is no home either.
absl::StatusOr<std::filesystem::path> SpoolDirectory(const std::string& given,
                                                     const std::string& name);

// A directory of files; what Write has answered outlives the process and the machine's power.
// Thread-safe; two processes may use one directory.
class Spool {
 public:
  // Makes `directory` where it is missing, and removes what a death left half written.
  // Errors: FAILED_PRECONDITION where it cannot be written to.
  static absl::StatusOr<Spool> Open(std::filesystem::path directory, uint64_t limit_bytes);

  const std::filesystem::path& directory() const { return directory_; }
  // What waits, oldest first.
  std::vector<std::filesystem::path> List() const;
  // Errors: RESOURCE_EXHAUSTED where the files would exceed the limit, UNAVAILABLE where the disk
  // is full, INTERNAL where it fails otherwise; nothing is left behind then.
  absl::StatusOr<std::filesystem::path> Write(const FinishedRun& run);
  absl::StatusOr<std::filesystem::path> Write(const LeftRun& run);
  // The lease that a file is of, from its beginning alone; none where it does not say.
  static std::optional<v1::LeaseRef> LeaseOf(const std::filesystem::path& file);
  // Errors: DATA_LOSS where the file is not what Write made.
  static absl::StatusOr<std::variant<FinishedRun, LeftRun>> Read(const std::filesystem::path& file);
  static void Remove(const std::filesystem::path& file);
  // Renames `file` so that it is not listed again; its new name.
  static std::filesystem::path SetAside(const std::filesystem::path& file);

 private:
  Spool(std::filesystem::path directory, uint64_t limit_bytes)
      : directory_(std::move(directory)), limit_bytes_(limit_bytes) {}
  absl::StatusOr<std::filesystem::path> WriteBytes(const v1::LeaseRef& ref, const char* extension,
                                                   const std::string& bytes);

  std::filesystem::path directory_;
  uint64_t limit_bytes_;
};

}  // namespace gridsweep::worker
