#include "hdf5/session.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "common/strings.h"
#include "hdf5/image.h"
#include "hdf5/protocol.h"
#include "hdf5/sandbox.h"

namespace gridsweep::hdf5 {
namespace {

bool Send(int session, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(session, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

bool SendFrame(int session, FrameKind kind, std::string_view bytes) {
  const FrameHeader header = {kind, static_cast<uint32_t>(bytes.size())};
  return Send(session, reinterpret_cast<const char*>(&header), sizeof header) &&
         Send(session, bytes.data(), bytes.size());
}

bool SendText(int session, FrameKind kind, absl::string_view text) {
  return SendFrame(session, kind, ToStd(text.substr(0, kMostTextBytes)));
}

bool ReceiveRequest(int session, ReadRequest& request) {
  return recv(session, &request, sizeof request, MSG_WAITALL) ==
         static_cast<ssize_t>(sizeof request);
}

// Whether the other end is still there.
bool Answer(int session, const Image& image, const ReadRequest& request) {
  const auto& objects = image.inventory();
  if (request.object >= objects.size() ||
      request.type > static_cast<uint32_t>(NumberType::kUint64)) {
    return SendText(session, FrameKind::kRefused, "there is no such object");
  }
  const auto type = static_cast<NumberType>(request.type);
  const Object& object = objects[request.object];
  uint64_t row_bytes = SizeOf(type);
  for (size_t i = 1; i < object.shape.size(); ++i) row_bytes *= object.shape[i];
  const uint64_t step = image.RowsAtOnce(request.object, type);
  std::vector<char> part;
  for (uint64_t done = 0; done < request.rows;) {
    const uint64_t rows = std::min(step, request.rows - done);
    part.resize(rows * row_bytes);
    const absl::Status read = image.Read(request.object, type, request.first + done, rows, part);
    if (!read.ok()) return SendText(session, FrameKind::kRefused, read.message());
    if (!SendFrame(session, FrameKind::kNumbers, {part.data(), part.size()})) return false;
    done += rows;
  }
  return true;
}

int Serve(int session, std::string_view bytes) {
  const auto image = Image::Open(bytes);
  if (!image.ok()) {
    SendText(session, FrameKind::kRefused, image.status().message());
    return 0;
  }
  const std::string inventory = Encode((*image)->inventory());
  if (inventory.size() > kMostInventoryBytes) {
    SendText(session, FrameKind::kRefused, "the list of what it holds is longer than 64 MiB");
    return 0;
  }
  bool open = SendFrame(session, FrameKind::kInventory, inventory);
  for (ReadRequest request; open && ReceiveRequest(session, request);) {
    open = Answer(session, **image, request);
  }
  return 0;
}

}  // namespace

int ServeFile(int session, int file) {
  const auto fail = [&](std::string_view why) {
    SendText(session, FrameKind::kFailed, ToAbsl(why));
    return 1;
  };
  struct stat status;
  if (fstat(file, &status) != 0 || status.st_size < 0) return fail("the file has no size");
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) {
    SendText(session, FrameKind::kRefused, "it is empty");
    return 0;
  }
  void* const start = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (start == MAP_FAILED) return fail("the file cannot be mapped into memory");
  close(file);
  if (!LimitMemoryAndTime(size)) return fail("this system sets no limits to memory and time");
  if (!ForbidAllButMemory()) return fail("this kernel takes no seccomp filter");
  try {
    return Serve(session, {static_cast<const char*>(start), size});
  } catch (const std::bad_alloc&) {
    SendText(session, FrameKind::kRefused, "it needs more memory than a file of its size may");
    return 0;
  }
}

}  // namespace gridsweep::hdf5
