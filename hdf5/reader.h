// Files from elsewhere: read by gridsweep-hdf5-reader, a program without files, network, secrets
// and rights, so that a flaw of the library costs one answer.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string_view>

#include "common/mutex.h"
#include "hdf5/file.h"

namespace gridsweep::hdf5 {

// gridsweep-hdf5-reader beside the program that runs.
std::filesystem::path ReaderBesideSelf();

// What a file may hold: what our writers make (CheckOurs), or anything, of which that which is not
// read says so (Object::refused).
enum class Holding { kOurs, kAnything };

// Starts the reader, keeps it running, and starts it anew where it is lost. All methods may be
// called by any thread.
class Reader {
 public:
  struct Options {
    std::filesystem::path program = ReaderBesideSelf();
    // For an answer to go on. Beyond, UNAVAILABLE, and who reads the file is killed.
    absl::Duration patience = absl::Minutes(1);
  };

  // FAILED_PRECONDITION where the program cannot be run, or is of another build.
  static absl::StatusOr<std::unique_ptr<Reader>> Start(Options options);
  static absl::StatusOr<std::unique_ptr<Reader>> Start() { return Start(Options()); }
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // The file costs a process until it is closed; it may outlive this object.
  // Errors: NOT_FOUND where there is no such file; DATA_LOSS where it is refused, the message
  // saying what is wrong with it; UNAVAILABLE where that says nothing about the file.
  absl::StatusOr<File> Open(const std::filesystem::path& path, Holding holding);
  absl::StatusOr<File> OpenBytes(std::string_view bytes, Holding holding);
  // `descriptor` is open for reading, and stays the caller's.
  absl::StatusOr<File> OpenDescriptor(int descriptor, Holding holding);

  // Of the program; 0 once it is stopped.
  pid_t pid() const LOCKS_EXCLUDED(mutex_);

 private:
  explicit Reader(Options options) : options_(std::move(options)) {}
  absl::Status Spawn() REQUIRES(mutex_);
  void Stop() REQUIRES(mutex_);
  // Hands both descriptors to the program; false where it is gone.
  bool HandOver(int session, int file) REQUIRES(mutex_);

  const Options options_;
  mutable Mutex mutex_;
  pid_t pid_ GUARDED_BY(mutex_) = 0;
  int control_ GUARDED_BY(mutex_) = -1;
};

}  // namespace gridsweep::hdf5
