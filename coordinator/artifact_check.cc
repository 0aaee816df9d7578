#include "coordinator/artifact_check.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/strings.h"
#include "coordinator/store/artifact_rows.h"
#include "coordinator/store/artifact_uploads.h"

namespace gridsweep::coordinator {
namespace {

constexpr auto kAPage = std::chrono::seconds(1);
constexpr int kMostFaults = 5000;  // of a page: less than 2 MiB
constexpr int kFirstBytes = 256;
constexpr size_t kMostStrays = 1000;  // of one byte

// Whatever bytes its name has.
std::string Printable(const std::filesystem::path& path) {
  return absl::CHexEscape(path.string());
}

// One call.
class Check {
 public:
  Check(Database& database, ArtifactStore& artifacts, absl::Duration grace, bool repair)
      : database_(database), artifacts_(artifacts), grace_(grace), repair_(repair) {}

  // What lies beside the files.
  absl::Status Surroundings() {
    ASSIGN_OR_RETURN(const auto strays, artifacts_.Strays());
    AddStrays(strays);
    // The collector has been at those of half the age.
    ASSIGN_OR_RETURN(const auto unfinished, artifacts_.Unfinished(2 * grace_));
    for (const UnfinishedUpload& upload : unfinished) {
      if (full()) break;
      v1::ArtifactFault& fault = Add(v1::ArtifactFault::KIND_UNFINISHED, "");
      fault.set_path(Printable(upload.path));
      fault.set_size(upload.size);
      fault.set_remedy("an upload that broke off: the collector removes it, or --repair now");
      if (!repair_) continue;
      RETURN_IF_ERROR(artifacts_.RemoveUnfinished(upload));
      fault.set_repaired(true);
    }
    return absl::OkStatus();
  }

  // The files whose hashes begin with `first` and come after `after`. False where the page is full
  // before the last of them; `last` says how far it has come.
  absl::StatusOr<bool> Files(uint8_t first, const std::string& after, std::string& last) {
    ASSIGN_OR_RETURN(const ArtifactListing listing, artifacts_.List(first));
    // After the listing: a file is announced before it comes, and its row goes before it does.
    ASSIGN_OR_RETURN(const ArtifactRows known, ReadArtifactRows(database_, first));
    if (after.empty()) {
      AddStrays(listing.strays);
      response_.set_files(response_.files() + listing.files.size());
      response_.set_rows(response_.rows() + known.rows.size());
    }
    std::map<std::string, uint64_t> files;
    for (const StoredArtifact& file : listing.files) files[file.sha256] = file.size;
    std::set<std::string> all;
    for (const auto& [sha256, size] : files) all.insert(sha256);
    for (const auto& [sha256, row] : known.rows) all.insert(sha256);
    bool complete = true;
    for (auto at = all.upper_bound(after); at != all.end(); ++at) {
      if (full()) {
        complete = false;
        break;
      }
      last = *at;
      const auto file = files.find(*at);
      const auto row = known.rows.find(*at);
      if (row == known.rows.end()) {
        if (!known.pending.contains(*at) && artifacts_.Has(*at)) WithoutRow(*at, file->second);
      } else if (file == files.end()) {
        RETURN_IF_ERROR(WithoutFile(*at, row->second));
      } else {
        Both(*at, row->second, file->second);
      }
    }
    if (!garbage_.empty()) RETURN_IF_ERROR(AbandonArtifacts(database_, garbage_));
    garbage_.clear();
    return complete;
  }

  bool full() const { return response_.faults_size() >= kMostFaults; }
  v1::CheckArtifactsResponse& response() { return response_; }

 private:
  v1::ArtifactFault& Add(v1::ArtifactFault::Kind kind, const std::string& sha256) {
    v1::ArtifactFault& fault = *response_.add_faults();
    fault.set_kind(kind);
    fault.set_sha256(ToHex(sha256));
    return fault;
  }

  // Not so many that a page holds nothing else.
  void AddStrays(const std::vector<std::filesystem::path>& strays) {
    for (size_t i = 0; i < std::min(strays.size(), kMostStrays) && !full(); ++i) {
      const std::filesystem::path& path = strays[i];
      v1::ArtifactFault& fault = Add(v1::ArtifactFault::KIND_STRAY, "");
      fault.set_path(Printable(path));
      fault.set_remedy("not of the store, which leaves it alone: see to it yourself");
    }
  }

  void Collect(const std::string& sha256, v1::ArtifactFault& fault) {
    fault.set_remedy("nothing names it: --repair leaves it to the collector");
    if (!repair_) return;
    garbage_.push_back(sha256);
    fault.set_repaired(true);
  }

  void WithoutRow(const std::string& sha256, uint64_t size) {
    v1::ArtifactFault& fault = Add(v1::ArtifactFault::KIND_FILE_WITHOUT_ROW, sha256);
    fault.set_size(size);
    Collect(sha256, fault);
  }

  absl::Status WithoutFile(const std::string& sha256, const ArtifactRow& row) {
    if (row.pending || artifacts_.Has(sha256)) return absl::OkStatus();
    // It may have gone, row and file, since the rows were read.
    ASSIGN_OR_RETURN(const ArtifactRows now,
                     ReadArtifactRows(database_, static_cast<uint8_t>(sha256[0])));
    const auto still = now.rows.find(sha256);
    if (still == now.rows.end() || still->second.pending) return absl::OkStatus();
    v1::ArtifactFault& fault = Add(v1::ArtifactFault::KIND_ROW_WITHOUT_FILE, sha256);
    fault.set_size(row.size);
    if (row.run_id != 0) {
      fault.set_run_id(row.run_id);
      fault.set_remedy(StrCat("the file is lost: bring it back from a backup, or train run ",
                              row.run_id, " again with `sweepctl retry`"));
      return absl::OkStatus();
    }
    if (row.checkpoint_of == 0) {
      Collect(sha256, fault);
      return absl::OkStatus();
    }
    fault.set_run_id(row.checkpoint_of);
    fault.set_remedy("a checkpoint: the run starts over; --repair forgets it");
    if (!repair_) return absl::OkStatus();
    RETURN_IF_ERROR(DropCheckpointsOf(database_, sha256));
    fault.set_repaired(true);
    return absl::OkStatus();
  }

  void Both(const std::string& sha256, const ArtifactRow& row, uint64_t size) {
    if (row.run_id == 0 && row.checkpoint_of == 0) {
      if (row.pending) return;
      v1::ArtifactFault& fault = Add(v1::ArtifactFault::KIND_UNNAMED, sha256);
      fault.set_size(size);
      Collect(sha256, fault);
    } else if (row.size != size) {
      v1::ArtifactFault& fault = Add(v1::ArtifactFault::KIND_SIZE_DIFFERS, sha256);
      fault.set_size(size);
      fault.set_run_id(row.run_id != 0 ? row.run_id : row.checkpoint_of);
      fault.set_remedy(StrCat("has ", size, " bytes and was stored with ", row.size,
                              ": bring it back from a backup, or train the run again with "
                              "`sweepctl retry`"));
    }
  }

  Database& database_;
  ArtifactStore& artifacts_;
  const absl::Duration grace_;
  const bool repair_;
  v1::CheckArtifactsResponse response_;
  std::vector<std::string> garbage_;
};

}  // namespace

absl::StatusOr<v1::CheckArtifactsResponse> CheckArtifacts(
    Database& database, ArtifactStore& artifacts, absl::Duration grace,
    const v1::CheckArtifactsRequest& request) {
  // A token is the first byte of the next files' hashes, or the hash that the last page ended with.
  const std::string& token = request.page_token();
  const std::string start = FromHex(token);
  if (ToHex(start) != token || (start.size() > 1 && start.size() != 32)) {
    return InvalidField("page_token", "is not one that this method gave");
  }
  Check check(database, artifacts, grace, request.repair());
  if (start.empty()) RETURN_IF_ERROR(check.Surroundings());
  const auto until = std::chrono::steady_clock::now() + kAPage;
  std::string after = start.size() == 32 ? start : "";
  const int begin = start.empty() ? 0 : static_cast<uint8_t>(start[0]);
  for (int first = begin; first < kFirstBytes; ++first) {
    if (check.full() || (first > begin && std::chrono::steady_clock::now() >= until)) {
      check.response().set_next_page_token(ToHex(std::string(1, static_cast<char>(first))));
      break;
    }
    std::string last = after;
    ASSIGN_OR_RETURN(const bool complete, check.Files(static_cast<uint8_t>(first), after, last));
    if (!complete) {
      // Strays alone may have filled it.
      check.response().set_next_page_token(
          ToHex(last.empty() ? std::string(1, static_cast<char>(first)) : last));
      break;
    }
    after.clear();
  }
  return std::move(check.response());
}

}  // namespace gridsweep::coordinator
