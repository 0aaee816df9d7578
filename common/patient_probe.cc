#include "common/patient_probe.h"

#include <chrono>
#include <thread>
#include <utility>

#include "common/mutex.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestGreeting{1}, kLongestFarewell{1};

}  // namespace

struct PatientProbe::State {
  Settings settings;
  std::string what;
  std::function<absl::Status()> probe;
  Mutex mutex;
  CondVar changed;
  absl::Status last GUARDED_BY(mutex) = absl::UnavailableError("starting");
  bool answered GUARDED_BY(mutex) = false;
  bool asking GUARDED_BY(mutex) = false;
  Clock::time_point asked GUARDED_BY(mutex);
  bool stopping GUARDED_BY(mutex) = false;
  bool ended GUARDED_BY(mutex) = false;
};

PatientProbe::PatientProbe(Settings settings, std::string what, std::function<absl::Status()> probe)
    : state_(std::make_shared<State>()) {
  state_->settings = settings;
  state_->what = std::move(what);
  state_->probe = std::move(probe);
  std::thread([state = state_] { Loop(state); }).detach();
  const auto until = Clock::now() + kLongestGreeting;
  MutexLock lock(state_->mutex);
  while (!state_->answered &&
         state_->changed.wait_until(state_->mutex, until) == std::cv_status::no_timeout) {
  }
}

PatientProbe::~PatientProbe() {
  const auto until = Clock::now() + kLongestFarewell;
  MutexLock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  while (!state_->ended &&
         state_->changed.wait_until(state_->mutex, until) == std::cv_status::no_timeout) {
  }
}

void PatientProbe::Loop(const std::shared_ptr<State>& state) {
  for (;;) {
    {
      MutexLock lock(state->mutex);
      state->asking = true;
      state->asked = Clock::now();
    }
    absl::Status answer = state->probe();
    MutexLock lock(state->mutex);
    state->asking = false;
    state->last = std::move(answer);
    if (!std::exchange(state->answered, true)) state->changed.notify_all();
    const auto until = Clock::now() + absl::ToChronoNanoseconds(state->settings.every);
    while (!state->stopping &&
           state->changed.wait_until(state->mutex, until) == std::cv_status::no_timeout) {
    }
    if (!state->stopping) continue;
    state->ended = true;
    state->changed.notify_all();
    return;
  }
}

absl::Status PatientProbe::Last() const {
  MutexLock lock(state_->mutex);
  const absl::Duration waited = absl::FromChrono(Clock::now() - state_->asked);
  if (state_->asking && waited > state_->settings.patience) {
    const absl::Duration seconds = absl::Trunc(waited, absl::Seconds(1));
    return absl::UnavailableError(
        StrCat(state_->what, " does not answer for ", absl::FormatDuration(seconds)));
  }
  return state_->last;
}

}  // namespace gridsweep
