#include "coordinator/progress_board.h"

#include <absl/time/clock.h>

#include <algorithm>

namespace gridsweep::coordinator {
namespace {

constexpr size_t kMostLines = 50;
constexpr size_t kMostLogBytes = 16 << 10;

}  // namespace

void ProgressBoard::Report(const v1::LeaseProgress& progress) {
  const absl::Time now = absl::Now();
  MutexLock lock(mutex_);
  Entry& entry = entries_[progress.ref().run_id()];
  if (entry.attempt != progress.ref().attempt()) entry = Entry{};
  entry.attempt = progress.ref().attempt();
  for (std::string line : progress.log_lines()) {
    if (line.size() > kMostLogBytes) continue;
    std::ranges::replace(line, '\0', ' ');  // PostgreSQL's text has none
    entry.log_bytes += line.size() + 1;
    entry.log.push_back(std::move(line));
    ++entry.new_lines;
    while (entry.log.size() > kMostLines || entry.log_bytes > kMostLogBytes) {
      entry.log_bytes -= entry.log.front().size() + 1;
      entry.log.pop_front();
    }
    entry.new_lines = std::min(entry.new_lines, entry.log.size());
  }
  entry.phase = progress.phase();
  entry.step = progress.step();
  entry.total_steps = progress.total_steps();
  // A beat without an evaluation keeps the last one's error.
  if (progress.has_loss()) entry.loss = progress.loss();
  if (progress.has_error_cm()) entry.error_cm = progress.error_cm();
  entry.at = now;
  if (now < next_purge_) return;
  next_purge_ = now + keep_;
  std::erase_if(entries_, [&](const auto& item) { return item.second.at < now - keep_; });
}

void ProgressBoard::Forget(int64_t run_id) {
  MutexLock lock(mutex_);
  entries_.erase(run_id);
}

std::string ProgressBoard::LogTail(int64_t run_id) const {
  std::string tail;
  MutexLock lock(mutex_);
  const auto found = entries_.find(run_id);
  if (found == entries_.end()) return tail;
  for (const std::string& line : found->second.log) tail += line + "\n";
  return tail;
}

std::vector<NewLines> ProgressBoard::TakeNewLines() {
  std::vector<NewLines> taken;
  MutexLock lock(mutex_);
  for (auto& [run_id, entry] : entries_) {
    if (entry.new_lines == 0) continue;
    const auto first = entry.log.end() - static_cast<std::ptrdiff_t>(entry.new_lines);
    taken.push_back({run_id, entry.attempt, {first, entry.log.end()}});
    entry.new_lines = 0;
  }
  return taken;
}

void ProgressBoard::PutBack(std::vector<NewLines> lines) {
  MutexLock lock(mutex_);
  for (const NewLines& back : lines) {
    const auto found = entries_.find(back.run_id);
    if (found == entries_.end() || found->second.attempt != back.attempt) continue;
    Entry& entry = found->second;
    entry.new_lines = std::min(entry.new_lines + back.lines.size(), entry.log.size());
  }
}

void ProgressBoard::Fill(v1::RunProgress& run) const {
  MutexLock lock(mutex_);
  const auto found = entries_.find(run.run_id());
  if (found == entries_.end()) return;
  const Entry& entry = found->second;
  run.set_phase(entry.phase);
  run.set_step(entry.step);
  if (entry.total_steps > 0) run.set_total_steps(entry.total_steps);
  if (entry.loss) run.set_loss(*entry.loss);
  if (entry.error_cm) run.set_error_cm(*entry.error_cm);
}

bool LeftOut::Due(int64_t worker_id, absl::Time now, absl::Duration pause) {
  MutexLock lock(mutex_);
  const auto due = [&](absl::Time last) { return now >= last + pause || now < last; };
  if (looked_.size() >= next_purge_) {
    std::erase_if(looked_, [&](const auto& entry) { return due(entry.second); });
    next_purge_ = 1024 + 2 * looked_.size();
  }
  const auto [at, unseen] = looked_.try_emplace(worker_id, now);
  if (!unseen && !due(at->second)) return false;
  at->second = now;
  return true;
}

std::vector<std::string> LeftOut::Observe(int64_t worker_id, const std::vector<std::string>& held,
                                          const std::vector<std::string>& reported) {
  std::vector<std::string> missing, twice;
  for (const std::string& token : held) {
    if (std::ranges::find(reported, token) == reported.end()) missing.push_back(token);
  }
  MutexLock lock(mutex_);
  auto& before = missing_[worker_id];
  for (const std::string& token : missing) {
    if (std::ranges::find(before, token) != before.end()) twice.push_back(token);
  }
  before = std::move(missing);
  if (before.empty()) missing_.erase(worker_id);
  return twice;
}

}  // namespace gridsweep::coordinator
