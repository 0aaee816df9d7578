// Shares of runs or units with their intervals, beside the published ones.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/figures/ask.h"

namespace gridsweep::analysis {

// Points that a share view draws:
//   {group, [series,] source, fraction, low, high, count}
// `source` is "this selection" or "published" (without interval and count);
// `count` is "5 of 6".
class ShareRows {
 public:
  // `group`: a name, or a number for ByNumber.
  void Add(const Json& group, const v1::FractionResponse::Row& row, const std::string& series = "");
  void AddPublished(const Json& group, double fraction, const std::string& series = "");

  bool HasPublished() const { return has_published_; }
  double Highest() const;  // fraction; 0 without rows
  const Json& rows() const { return rows_; }

 private:
  Json rows_ = Json::array();
  bool has_published_ = false;
};

// Groups down the left, the share to the right, "5 of 6" at the end of the line.
Json SharesByName(const std::string& title, const std::string& dataset, const ShareRows& rows,
                  const std::vector<std::string>& groups, const std::string& axis);

// Groups are numbers: points with intervals, joined by lines. `series` encodes
// the field `series` as colour; absent where there is one series alone. The axis
// ends at 2.5 times the highest point; intervals beyond it are cut.
Json SharesByNumber(const std::string& title, const std::string& dataset, const ShareRows& rows,
                    const std::string& group_axis, const std::string& axis,
                    const std::optional<Json>& series, int width, int height);

}  // namespace gridsweep::analysis
