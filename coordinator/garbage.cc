#include "coordinator/garbage.h"

#include <algorithm>

#include "common/log.h"
#include "common/status.h"
#include "coordinator/store/artifact_garbage.h"
#include "coordinator/store/artifact_uploads.h"
#include "coordinator/store/checkpoints.h"
#include "coordinator/store/lifecycle.h"
#include "coordinator/store/run_logs.h"

namespace gridsweep::coordinator {
namespace {

// Each a fraction of a second: up to 4096 units a run.
constexpr int kRunsAPiece = 64;
constexpr int kFilesAPiece = 100;
constexpr int kRowsAPiece = 1000;
constexpr absl::Duration kOldEvery = absl::Minutes(1);
constexpr absl::Duration kLogEvery = absl::Minutes(1);

// Does pieces until one finds nothing more or fails.
template <typename Piece>
absl::Status DoAll(PieceSize& size, Piece piece) {
  for (;;) {
    ASSIGN_OR_RETURN(const int done, size.Do(piece));
    if (done == 0) return absl::OkStatus();
  }
}

}  // namespace

GarbageCollector::GarbageCollector(Database& database, ArtifactStore& artifacts, Counters& counters,
                                   absl::Duration grace)
    : database_(database),
      artifacts_(artifacts),
      grace_(grace),
      runs_("deleting runs", kRunsAPiece, counters.BackgroundTimeouts("delete_runs")),
      rows_("deleting rows of files", kFilesAPiece,
            counters.BackgroundTimeouts("delete_artifacts")),
      files_("removing files", kFilesAPiece, counters.BackgroundTimeouts("remove_files")),
      uploads_("ending uploads", kRowsAPiece, counters.BackgroundTimeouts("end_uploads")),
      checkpoints_("dropping checkpoints", kRowsAPiece,
                   counters.BackgroundTimeouts("drop_checkpoints")),
      logs_("dropping live logs", kRowsAPiece, counters.BackgroundTimeouts("drop_live_logs")) {}

absl::Status GarbageCollector::Collect(absl::Duration at_most) {
  const auto start = std::chrono::steady_clock::now();
  absl::Status status;
  if (start >= next_old_) {
    status.Update(CollectOld());
    next_old_ = start + absl::ToChronoNanoseconds(std::min(kOldEvery, grace_ / 4));
  }
  absl::Status stays;
  const auto unlink = [&](const std::string& sha256) {
    const absl::Status removed = artifacts_.Remove(sha256);
    stays.Update(removed);
    return removed;
  };
  // How many; 0 where it failed: the others go on.
  const auto take = [&](const auto& done) {
    status.Update(done.status());
    return done.ok() ? static_cast<int>(*done) : 0;
  };
  const auto until = start + absl::ToChronoNanoseconds(at_most);
  int done = 0;
  do {
    done = take(runs_.Do([&](int n) { return DeleteSomeRuns(database_, n); }));
    done += take(rows_.Do([&](int n) { return ForgetArtifacts(database_, n); }));
    done += take(files_.Do([&](int n) { return UnlinkForgotten(database_, n, unlink); }));
  } while (done > 0 && status.ok() && std::chrono::steady_clock::now() < until);
  // They are tried again each time: said once a minute.
  if (!stays.ok() && start >= next_log_) {
    spdlog::warn("files that nothing names cannot be removed: {}", std::string(stays.message()));
    next_log_ = start + absl::ToChronoNanoseconds(kLogEvery);
  }
  return status;
}

absl::Status GarbageCollector::CollectOld() {
  absl::Status status =
      DoAll(uploads_, [&](int n) { return AbandonUploads(database_, grace_, n); });
  status.Update(DoAll(checkpoints_, [&](int n) { return DropCheckpoints(database_, n); }));
  status.Update(DoAll(logs_, [&](int n) { return DropKeptLines(database_, n); }));
  status.Update(RemoveUnfinished());
  return status;
}

absl::Status GarbageCollector::RemoveUnfinished() {
  ASSIGN_OR_RETURN(const auto unfinished, artifacts_.Unfinished(grace_));
  absl::Status status;
  for (const UnfinishedUpload& upload : unfinished) {
    status.Update(artifacts_.RemoveUnfinished(upload));
  }
  if (!unfinished.empty()) {
    spdlog::info("removed what {} uploads that broke off had left", unfinished.size());
  }
  return status;
}

}  // namespace gridsweep::coordinator
