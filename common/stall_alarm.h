// Ends calls whose client has fallen silent in the middle of a stream.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

namespace gridsweep {

// Cancels the call of `context` once the client has been silent for `limit`: none of the methods
// was called. A client that streams, or reads a stream, may have set no deadline, and its
// connection may be sound: what it has sent, or does not read, would be held for ever. All methods
// are thread-safe and return at once.
class StallAlarm {
 public:
  StallAlarm(grpc::CallbackServerContext* context, absl::Duration limit);
  // The context may go afterwards.
  ~StallAlarm();
  StallAlarm(const StallAlarm&) = delete;
  StallAlarm& operator=(const StallAlarm&) = delete;

  // Something came from the client, or the server waits for it from now on.
  void Heard();
  // The server is at work: the client has nothing to say until Heard is called again.
  void Suspend();
  // The client's part is over.
  void Finished();

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace gridsweep
