#include "sweepctl/generic_call.h"

#include <vector>

#include "common/status.h"

namespace gridsweep::sweepctl {

GenericCall::GenericCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& path,
                         grpc::ClientContext& context)
    : stub_(channel), context_(context) {
  call_ = stub_.PrepareCall(&context, path, &queue_);
  call_->StartCall(this);
  Wait();
}

GenericCall::~GenericCall() {
  if (!finished_) {
    context_.TryCancel();
    (void)Finish();
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool GenericCall::Wait() {
  void* tag = nullptr;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

bool GenericCall::Write(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  call_->Write(grpc::ByteBuffer(&slice, 1), this);
  return Wait();
}

void GenericCall::WritesDone() {
  call_->WritesDone(this);
  Wait();
}

bool GenericCall::Read(google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  call_->Read(&bytes, this);
  if (!Wait()) return false;
  std::vector<grpc::Slice> slices;
  if (!bytes.Dump(&slices).ok()) return false;
  std::string text;
  for (const auto& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return message.ParseFromString(text);
}

absl::Status GenericCall::Finish() {
  grpc::Status status;
  call_->Finish(&status, this);
  Wait();
  finished_ = true;
  return FromGrpc(status);
}

}  // namespace gridsweep::sweepctl
