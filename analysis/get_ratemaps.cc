#include "analysis/get_ratemaps.h"

#include <bit>
#include <cstring>
#include <span>

#include "analysis/queries/sweep_names.h"
#include "analysis/queries/unit_lookup.h"
#include "analysis/sheet/ratemap_sheet.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/scoring/grid_scorer.h"

namespace gridsweep::analysis {
namespace {

constexpr int kMaxUnits = 4'096;
constexpr int kMaxSheetUnits = 1'024;
constexpr size_t kUnitsAPiece = 32;
constexpr size_t kChunkBytes = 1 << 20;

static_assert(std::endian::native == std::endian::little, "arrays are sent as they lie in memory");

std::string ToBytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

class RatemapsJob : public StreamJob<v1::GetRatemapsResponse> {
 public:
  RatemapsJob(Database& database, const ResultFiles& files, RatemapsQuestion question)
      : database_(database),
        files_(files),
        question_(std::move(question)),
        scorer_(question_.nbins) {}

  absl::StatusOr<bool> Step(int thread, std::vector<v1::GetRatemapsResponse>& out) override {
    if (!located_) {
      RETURN_IF_ERROR(Locate(thread));
      return true;
    }
    const size_t end = std::min(units_.size(), next_ + kUnitsAPiece);
    for (; next_ < end; ++next_) {
      ASSIGN_OR_RETURN(Tile tile, ReadTile(units_[next_]));
      if (question_.as_sheet) {
        tiles_.push_back(std::move(tile));
      } else {
        *out.emplace_back().mutable_ratemap() = ToProto(units_[next_], tile);
      }
    }
    file_.reset();  // not kept until the client has taken these
    if (next_ < units_.size()) return true;
    if (question_.as_sheet) RETURN_IF_ERROR(DrawSheet(out));
    return false;
  }

 private:
  absl::Status Locate(int thread) {
    located_ = true;
    return database_.Read(thread, [&](Snapshot& snapshot) -> absl::Status {
      std::vector<v1::UnitRef> refs = question_.units;
      if (question_.query) {
        ASSIGN_OR_RETURN(const auto page, AnswerListUnits(snapshot, *question_.query));
        refs.clear();
        for (const auto& unit : page.units()) {
          if (unit.has_value()) refs.push_back(unit.ref());
        }
      }
      ASSIGN_OR_RETURN(units_, LocateUnits(snapshot, refs));
      if (!question_.as_sheet) return absl::OkStatus();
      if (units_.empty()) {
        return absl::NotFoundError("no unit has a value of that metric: there is nothing to draw");
      }
      std::vector<int64_t> sweeps;
      for (const LocatedUnit& unit : units_) sweeps.push_back(unit.sweep_id);
      ASSIGN_OR_RETURN(title_, ReadSweepNames(snapshot, sweeps));
      return absl::OkStatus();
    });
  }

  absl::StatusOr<Tile> ReadTile(const LocatedUnit& unit) {
    if (!file_ || file_artifact_ != unit.artifact) {
      file_.reset();
      ASSIGN_OR_RETURN(auto file, files_.Open(unit.artifact));
      file_.emplace(std::move(file));
      file_artifact_ = unit.artifact;
    }
    Tile tile{.run_id = unit.ref.run_id(),
              .unit = unit.ref.unit(),
              .heading = unit.readout,
              .score = unit.grid_score_60};
    ASSIGN_OR_RETURN(tile.ratemap, file_->Ratemap(question_.nbins, unit.ref.unit()));
    if (question_.with_autocorrelogram) {
      const std::vector<double> map(tile.ratemap.begin(), tile.ratemap.end());
      const std::vector<double> sac = scorer_.Autocorrelogram(map);
      tile.autocorrelogram.assign(sac.begin(), sac.end());
    }
    return tile;
  }

  v1::Ratemap ToProto(const LocatedUnit& unit, const Tile& tile) const {
    v1::Ratemap ratemap;
    *ratemap.mutable_ref() = unit.ref;
    ratemap.set_nbins(static_cast<uint32_t>(question_.nbins));
    ratemap.set_values(ToBytes(tile.ratemap));
    ratemap.set_autocorrelogram(ToBytes(tile.autocorrelogram));
    if (unit.grid_score_60) ratemap.set_grid_score_60(*unit.grid_score_60);
    if (unit.grid_score_90) ratemap.set_grid_score_90(*unit.grid_score_90);
    ratemap.set_readout(unit.readout);
    return ratemap;
  }

  absl::Status DrawSheet(std::vector<v1::GetRatemapsResponse>& out) {
    ASSIGN_OR_RETURN(const std::string png, DrawRatemapSheet(title_, question_.nbins, tiles_));
    tiles_.clear();
    for (size_t at = 0; at < png.size(); at += kChunkBytes) {
      out.emplace_back().set_png_chunk(png.substr(at, kChunkBytes));
    }
    return absl::OkStatus();
  }

  Database& database_;
  const ResultFiles& files_;
  const RatemapsQuestion question_;
  const scoring::GridScorer scorer_;
  bool located_ = false;
  std::vector<LocatedUnit> units_;
  size_t next_ = 0;
  std::optional<ResultFile> file_;  // of the last unit read
  std::string file_artifact_;
  std::vector<Tile> tiles_;
  std::string title_;  // of the sheet: the sweeps of its units
};

}  // namespace

absl::StatusOr<RatemapsQuestion> ParseGetRatemaps(const v1::GetRatemapsRequest& request) {
  RatemapsQuestion question;
  if (!v1::GetRatemapsRequest::Format_IsValid(request.format())) {
    return InvalidField("format",
                        StrCat("there is no format ", static_cast<int>(request.format())));
  }
  question.as_sheet = request.format() == v1::GetRatemapsRequest::FORMAT_PNG_SHEET;
  question.nbins = request.nbins() == 0 ? 44 : static_cast<int>(request.nbins());
  question.with_autocorrelogram = request.with_autocorrelogram();
  if (question.nbins != 44 && question.nbins != 32 && question.nbins != 20) {
    return InvalidField("nbins", StrCat(request.nbins(), " is not one of 44, 32, 20"));
  }
  if ((request.units_size() > 0) == request.has_query()) {
    return InvalidField("units", request.has_query() ? "give either units or a query, not both"
                                                     : "give units, or a query that finds some");
  }
  if (request.has_query()) {
    ASSIGN_OR_RETURN(question.query, ParseListUnits(request.query(), "query."));
  }
  const int limit = question.as_sheet ? kMaxSheetUnits : kMaxUnits;
  const int asked = question.query ? question.query->page_size : request.units_size();
  if (asked > limit) {
    return InvalidField(question.query ? "query.page_size" : "units",
                        StrCat(asked, " units are more than ", limit, "; ask in parts"));
  }
  question.units.assign(request.units().begin(), request.units().end());
  return question;
}

std::unique_ptr<StreamJob<v1::GetRatemapsResponse>> MakeRatemapsJob(Database& database,
                                                                    const ResultFiles& files,
                                                                    RatemapsQuestion question) {
  return std::make_unique<RatemapsJob>(database, files, std::move(question));
}

}  // namespace gridsweep::analysis
