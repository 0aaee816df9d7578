// Results in the formats that users choose with -o.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sweepctl/console.h"

namespace gridsweep::sweepctl {

enum class Format { kAuto, kTable, kWide, kJson, kJsonl, kYaml, kCsv, kName };
inline constexpr const char* kFormatNames = "table|wide|json|jsonl|yaml|csv|name";
std::optional<Format> ParseFormat(const std::string& name);

// One value twice: for people, and for programs (csv and pipes).
struct Cell {
  std::string text;
  std::string machine;
};
Cell Text(std::string text);
Cell Integer(int64_t value);  // 12,345 for people
Cell Number(int64_t id);      // an id: the same for both
// NaN is "-" for people and empty for programs, which get all 17 digits.
Cell Real(double value, int decimals = 3);
Cell Missing();
// "3m ago" for people, RFC 3339 for programs.
Cell Time(const google::protobuf::Timestamp& time);

struct Column {
  std::string title;
  bool right = false;  // aligned right
  bool wide = false;   // in a table only with -o wide
  // In csv; by default the title's letters and digits in lower case, joined by _.
  std::string name = "";
};

// What a verb answers: rows for tables and csv, the same rows as JSON, and
// the name of each.
struct Listing {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<nlohmann::ordered_json> items;
  std::vector<std::string> names;
  // What json and yaml print instead of the list of items.
  std::optional<nlohmann::ordered_json> document;
  std::string when_empty;  // said on stderr where there are no rows
};

// kAuto is an aligned table on a terminal and tab-separated values, without a
// header unless `header`, in a pipe.
void Print(Console& console, Format format, bool header, const Listing& listing);

// An aligned table: `lines` of equal length, the first the header.
std::string AlignedTable(const Console& console, const std::vector<Column>& columns,
                         const std::vector<std::vector<Cell>>& rows);

// The wire form with maps in the order of their keys, which alone makes JSON of a message the same
// at each call.
std::string StableBytes(const google::protobuf::Message& message);
// The proto JSON form, with the proto's field names and zeros written out; fields in the proto's
// order, maps by key.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);
// As text. What a terminal would obey is written as \uXXXX, which reads back as it was.
std::string JsonText(const nlohmann::ordered_json& json, int indent = -1);
std::string ToYaml(const nlohmann::ordered_json& json);

// "1d 3h", "12m 5s", "7.5s".
std::string Span(double seconds);
// Columns that `text` takes on a terminal (UTF-8, without styles).
size_t DisplayWidth(const std::string& text);

}  // namespace gridsweep::sweepctl
