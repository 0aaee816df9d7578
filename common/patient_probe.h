// Asks something that may hang, a disk on a network for example, without hanging with it.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>

namespace gridsweep {

// Calls `probe` every `every` on a thread of its own. That thread, and what `probe` holds, may
// outlive this object by a call that does not come back.
class PatientProbe {
 public:
  struct Settings {
    absl::Duration every = absl::Seconds(5);
    absl::Duration patience = absl::Seconds(15);  // of a call that does not come back
  };
  // Waits a second at most for the first answer. `what`: for the message of a call that does not
  // come back.
  PatientProbe(Settings settings, std::string what, std::function<absl::Status()> probe);
  // Waits a second at most for a call in progress.
  ~PatientProbe();
  PatientProbe(const PatientProbe&) = delete;
  PatientProbe& operator=(const PatientProbe&) = delete;

  // What the last call has answered; UNAVAILABLE once one has not come back for `patience`, and
  // before the first has. Never blocks.
  absl::Status Last() const;

 private:
  struct State;
  static void Loop(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;
};

}  // namespace gridsweep
