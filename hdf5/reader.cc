#include "hdf5/reader.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "common/log.h"
#include "common/status.h"
#include "common/strings.h"
#include "hdf5/protocol.h"

namespace gridsweep::hdf5 {
namespace {

constexpr absl::Duration kStartPatience = absl::Seconds(30);
constexpr char kLost[] = "the program that reads HDF5 files was lost: try again";

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

absl::Status SystemError(std::string_view what, int error) {
  return absl::UnavailableError(StrCat(what, ": ", std::strerror(error)));
}

// Whether `fd` can be read, or written, before `patience` is over.
bool WaitFor(int fd, short events, absl::Duration patience) {
  const auto end = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(patience);
  for (;;) {
    pollfd polled = {fd, events, 0};
    const int64_t left = std::chrono::ceil<std::chrono::milliseconds>(
                             end - std::chrono::steady_clock::now()).count();
    const int ready =
        poll(&polled, 1, static_cast<int>(std::clamp<int64_t>(left, 0, INT32_MAX)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

// Who reads one file, at the other end of a socket. What it says is believed as far as it fits.
class RemoteSource : public Source {
 public:
  RemoteSource(Descriptor session, absl::Duration patience)
      : session_(std::move(session)), patience_(patience) {}

  // The first frame: what the file holds.
  absl::StatusOr<Inventory> ReadInventory(uint64_t file_bytes) {
    ASSIGN_OR_RETURN(const uint32_t bytes, ReadHeader(FrameKind::kInventory, kMostInventoryBytes));
    std::string encoded(bytes, '\0');
    RETURN_IF_ERROR(Receive(encoded.data(), encoded.size()));
    return Decode(encoded, file_bytes);
  }

  absl::Status Read(uint32_t object, NumberType type, uint64_t first, uint64_t rows,
                    std::span<char> into) override {
    const ReadRequest request = {object, static_cast<uint32_t>(type), first, rows};
    if (send(session_.get(), &request, sizeof request, MSG_NOSIGNAL) !=
        static_cast<ssize_t>(sizeof request)) {
      return absl::UnavailableError(kLost);
    }
    while (!into.empty()) {
      const auto most = static_cast<uint32_t>(std::min<size_t>(into.size(), UINT32_MAX));
      ASSIGN_OR_RETURN(const uint32_t bytes, ReadHeader(FrameKind::kNumbers, most));
      if (bytes == 0) return absl::DataLossError("its numbers came without end");
      RETURN_IF_ERROR(Receive(into.data(), bytes));
      into = into.subspan(bytes);
    }
    return absl::OkStatus();
  }

 private:
  // The size of a frame of this kind; else what it says instead.
  absl::StatusOr<uint32_t> ReadHeader(FrameKind wanted, uint32_t most) {
    FrameHeader header;
    RETURN_IF_ERROR(Receive(reinterpret_cast<char*>(&header), sizeof header));
    if (header.kind == wanted && header.bytes <= most) return header.bytes;
    if (header.kind == FrameKind::kDied && header.bytes == sizeof(int32_t)) {
      int32_t number = 0;
      RETURN_IF_ERROR(Receive(reinterpret_cast<char*>(&number), sizeof number));
      return Died(number);
    }
    if ((header.kind == FrameKind::kRefused || header.kind == FrameKind::kFailed) &&
        header.bytes <= kMostTextBytes) {
      std::string why(header.bytes, '\0');
      RETURN_IF_ERROR(Receive(why.data(), why.size()));
      std::ranges::replace_if(why, [](char c) { return c < ' ' || c > '~'; }, '?');
      return header.kind == FrameKind::kRefused
                 ? absl::DataLossError(why)
                 : absl::UnavailableError(StrCat("HDF5 files cannot be read here: ", why));
    }
    return absl::DataLossError("its reader answered what makes no sense");
  }

  static absl::Status Died(int number) {
    if (number == SIGKILL) return absl::UnavailableError(kLost);  // the machine's memory ran out
    if (number == SIGXCPU) return absl::DataLossError("reading it does not come to an end");
    return absl::DataLossError(
        StrCat("reading it ended the reader with signal ", number, " (", strsignal(number), ")"));
  }

  absl::Status Receive(char* into, size_t bytes) {
    while (bytes > 0) {
      if (!WaitFor(session_.get(), POLLIN, patience_)) {
        return absl::UnavailableError(StrCat("reading the HDF5 file did not go on for ",
                                             absl::FormatDuration(patience_), ": try again"));
      }
      const ssize_t got = recv(session_.get(), into, bytes, MSG_DONTWAIT);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got <= 0) return absl::UnavailableError(kLost);
      into += got;
      bytes -= static_cast<size_t>(got);
    }
    return absl::OkStatus();
  }

  const Descriptor session_;
  const absl::Duration patience_;
};

}  // namespace

std::filesystem::path ReaderBesideSelf() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() /
         "gridsweep-hdf5-reader";
}

absl::StatusOr<std::unique_ptr<Reader>> Reader::Start(Options options) {
  std::unique_ptr<Reader> reader(new Reader(std::move(options)));
  MutexLock lock(reader->mutex_);
  RETURN_IF_ERROR(reader->Spawn());
  return reader;
}

Reader::~Reader() {
  MutexLock lock(mutex_);
  Stop();
}

pid_t Reader::pid() const {
  MutexLock lock(mutex_);
  return pid_;
}

void Reader::Stop() {
  if (control_ >= 0) close(control_);
  control_ = -1;
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  pid_ = 0;
}

absl::Status Reader::Spawn() {
  const std::string program = options_.program.string();
  const auto cannot = [&](std::string_view why) {
    return absl::FailedPreconditionError(
        StrCat("cannot run ", program, ": ", why,
               "; it reads HDF5 files and belongs beside the program that starts it"));
  };
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return SystemError("socketpair", errno);
  }
  Descriptor ours(ends[0]);
  const Descriptor its(ends[1]);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, its.get(), kControlDescriptor);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  }
  posix_spawn_file_actions_addclosefrom_np(&files, kControlDescriptor + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Our own threads block the signals that end a program; a terminal's Ctrl-C is for us.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  char* const argv[] = {const_cast<char*>("gridsweep-hdf5-reader"), nullptr};
  char* const environment[] = {nullptr};
  const int error =
      posix_spawn(&pid_, program.c_str(), &files, &attributes, argv, environment);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_ = 0;
    return cannot(std::strerror(error));
  }
  Hello hello = {};
  if (!WaitFor(ours.get(), POLLIN, kStartPatience) ||
      recv(ours.get(), &hello, sizeof hello, MSG_DONTWAIT) != sizeof hello) {
    Stop();
    return cannot("it does not answer");
  }
  if (hello.protocol != kProtocol) {
    Stop();
    return cannot("it is of another version");
  }
  if (hello.landlock == 0) {
    spdlog::warn("this kernel has no Landlock: seccomp alone keeps {} from files", program);
  }
  control_ = ours.release();
  return absl::OkStatus();
}

bool Reader::HandOver(int session, int file) {
  if (control_ < 0 || !WaitFor(control_, POLLOUT, kStartPatience)) return false;
  char byte = 0;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(2 * sizeof(int));
  const int descriptors[2] = {session, file};
  std::memcpy(CMSG_DATA(header), descriptors, sizeof descriptors);
  return sendmsg(control_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

absl::StatusOr<File> Reader::Open(const std::filesystem::path& path, Holding holding) {
  // Without waiting, should it be a pipe.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return absl::NotFoundError(StrCat("there is no file ", path.string()));
  }
  if (file.get() < 0) return SystemError(StrCat("cannot open ", path.string()), errno);
  return OpenDescriptor(file.get(), holding);
}

absl::StatusOr<File> Reader::OpenBytes(std::string_view bytes, Holding holding) {
  const Descriptor file(memfd_create("hdf5", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0) return SystemError("no memory for the file", errno);
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("no memory for the file", errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  return OpenDescriptor(file.get(), holding);
}

absl::StatusOr<File> Reader::OpenDescriptor(int descriptor, Holding holding) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return SystemError("the file has no size", errno);
  if (!S_ISREG(status.st_mode)) return absl::DataLossError("it is no ordinary file");
  const auto open_once = [&]() -> absl::StatusOr<File> {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      return SystemError("socketpair", errno);
    }
    auto source = std::make_unique<RemoteSource>(Descriptor(ends[0]), options_.patience);
    {
      const Descriptor its(ends[1]);
      MutexLock lock(mutex_);
      if (!HandOver(its.get(), descriptor)) {
        spdlog::warn("gridsweep-hdf5-reader is gone: it is started again");
        Stop();
        RETURN_IF_ERROR(Spawn());
        if (!HandOver(its.get(), descriptor)) return absl::UnavailableError(kLost);
      }
    }
    ASSIGN_OR_RETURN(Inventory inventory,
                     source->ReadInventory(static_cast<uint64_t>(status.st_size)));
    return File(std::move(inventory), std::move(source));
  };
  absl::StatusOr<File> file = open_once();
  // The program may have ended with the file on its way.
  if (absl::IsUnavailable(file.status())) file = open_once();
  if (file.ok() && holding == Holding::kOurs) RETURN_IF_ERROR(CheckOurs(file->objects()));
  return file;
}

}  // namespace gridsweep::hdf5
