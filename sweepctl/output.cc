#include "sweepctl/output.h"

#include <absl/strings/str_format.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>

#include "common/printable.h"
#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

using nlohmann::ordered_json;

std::string Csv(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

// A tab or a line end within a value would break the rows of a pipe, and others' words are in it.
std::string OneField(std::string field) {
  std::replace_if(
      field.begin(), field.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return Printable(field);
}

// "WIDTH M" as programs want it: width_m.
std::string NameOf(const Column& column) {
  if (!column.name.empty()) return column.name;
  std::string name;
  for (const char c : column.title) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.';
    if (letter) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!letter && !name.empty() && name.back() != '_') name += '_';
  }
  if (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

void EmitYaml(YAML::Emitter& emitter, const ordered_json& json) {
  switch (json.type()) {
    case ordered_json::value_t::object:
      emitter << YAML::BeginMap;
      for (const auto& [key, value] : json.items()) {
        emitter << YAML::Key << key << YAML::Value;
        EmitYaml(emitter, value);
      }
      emitter << YAML::EndMap;
      break;
    case ordered_json::value_t::array:
      if (json.empty()) emitter << YAML::Flow;
      emitter << YAML::BeginSeq;
      for (const auto& value : json) EmitYaml(emitter, value);
      emitter << YAML::EndSeq;
      break;
    case ordered_json::value_t::string: {
      // Quoted: proto JSON writes 64-bit numbers as strings, and they must stay strings.
      const auto& text = json.get_ref<const std::string&>();
      if (text.find('\n') != std::string::npos && PrintableLines(text) == text)
        emitter << YAML::Literal << text;
      else
        emitter << YAML::DoubleQuoted << text;
      break;
    }
    case ordered_json::value_t::null:
      emitter << YAML::_Null();
      break;
    case ordered_json::value_t::boolean:
      emitter << json.get<bool>();
      break;
    default:
      emitter << json.dump();
  }
}

}  // namespace

std::optional<Format> ParseFormat(const std::string& name) {
  if (name == "table") return Format::kTable;
  if (name == "wide") return Format::kWide;
  if (name == "json") return Format::kJson;
  if (name == "jsonl") return Format::kJsonl;
  if (name == "yaml") return Format::kYaml;
  if (name == "csv") return Format::kCsv;
  if (name == "name") return Format::kName;
  return std::nullopt;
}

Cell Text(std::string text) { return {text, text}; }
Cell Integer(int64_t value) { return {WithCommas(value), std::to_string(value)}; }
Cell Number(int64_t id) { return Text(std::to_string(id)); }
Cell Missing() { return {"-", ""}; }

Cell Real(double value, int decimals) {
  if (std::isnan(value)) return Missing();
  char shortest[32];
  const auto end = std::to_chars(shortest, shortest + sizeof shortest, value).ptr;
  // Fixed decimals would print a loss of 3e-6 as 0.000.
  const double size = std::fabs(value);
  const bool fixed = size == 0 || (size >= std::pow(10.0, -decimals) && size < 1e7);
  return {fixed ? absl::StrFormat("%.*f", decimals, value) : absl::StrFormat("%.3g", value),
          std::string(shortest, end)};
}

Cell Time(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return Missing();
  const absl::Time at = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  const double ago = absl::ToDoubleSeconds(absl::Now() - at);
  return {ago < 1 ? "now" : Span(std::floor(ago)) + " ago",
          absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", at, absl::UTCTimeZone())};
}

std::string Span(double seconds) {
  if (seconds < 60) {
    return seconds == std::floor(seconds) ? absl::StrFormat("%.0fs", seconds)
                                          : absl::StrFormat("%.1fs", seconds);
  }
  const int64_t s = std::llround(seconds);
  if (s < 3600) return absl::StrFormat("%dm %ds", s / 60, s % 60);
  if (s < 86400) return absl::StrFormat("%dh %dm", s / 3600, s % 3600 / 60);
  return absl::StrFormat("%sd %dh", WithCommas(s / 86400), s % 86400 / 3600);
}

size_t DisplayWidth(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::string AlignedTable(const Console& console, const std::vector<Column>& columns,
                         const std::vector<std::vector<Cell>>& rows) {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns.size(); ++i) {
    size_t width = DisplayWidth(columns[i].title);
    for (const auto& row : rows) width = std::max(width, DisplayWidth(OneField(row[i].text)));
    widths.push_back(width);
  }
  std::string text;
  const auto line = [&](auto&& field, const char* style) {
    std::string cells;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string cell = OneField(field(i));
      const std::string pad(widths[i] - DisplayWidth(cell), ' ');
      if (i > 0) cells += "  ";
      cells += columns[i].right ? pad + cell : cell + pad;
    }
    cells.erase(cells.find_last_not_of(' ') + 1);
    text += (style != nullptr ? Styled(console, style, cells) : cells) + "\n";
  };
  line([&](size_t i) { return columns[i].title; }, "1");
  for (const auto& row : rows) line([&](size_t i) { return row[i].text; }, nullptr);
  return text;
}

void Print(Console& console, Format format, bool header, const Listing& listing) {
  std::ostream& out = console.out;
  if (format == Format::kAuto && console.out_terminal) format = Format::kTable;
  if (listing.rows.empty() && !listing.when_empty.empty() &&
      (format == Format::kTable || format == Format::kWide || format == Format::kAuto)) {
    console.err << listing.when_empty << "\n";
    if (!listing.document) return;
  }
  switch (format) {
    case Format::kAuto:
    case Format::kCsv: {
      const char* separator = format == Format::kCsv ? "," : "\t";
      const auto field = [&](const std::string& text) {
        if (format != Format::kCsv) return OneField(text);
        // Data as it is, but for a terminal, which would obey it.
        return Csv(console.out_terminal ? PrintableLines(text) : text);
      };
      // csv has every column; a pipe those of a table.
      const auto shown = [&](size_t i) {
        return format == Format::kCsv || !listing.columns[i].wide;
      };
      const auto line = [&](auto&& cell) {
        bool first = true;
        for (size_t i = 0; i < listing.columns.size(); ++i) {
          if (!shown(i)) continue;
          if (!first) out << separator;
          first = false;
          out << field(cell(i));
        }
        out << "\n";
      };
      if (format == Format::kCsv || header) {
        line([&](size_t i) { return NameOf(listing.columns[i]); });
      }
      for (const auto& row : listing.rows) line([&](size_t i) { return row[i].machine; });
      break;
    }
    case Format::kTable:
    case Format::kWide: {
      std::vector<Column> columns;
      std::vector<std::vector<Cell>> rows(listing.rows.size());
      for (size_t i = 0; i < listing.columns.size(); ++i) {
        if (listing.columns[i].wide && format != Format::kWide) continue;
        columns.push_back(listing.columns[i]);
        for (size_t r = 0; r < rows.size(); ++r) rows[r].push_back(listing.rows[r][i]);
      }
      out << AlignedTable(console, columns, rows);
      break;
    }
    case Format::kJson:
      out << JsonText(listing.document ? *listing.document : ordered_json(listing.items), 2)
          << "\n";
      break;
    case Format::kJsonl:
      for (const auto& item : listing.items) out << JsonText(item) << "\n";
      break;
    case Format::kYaml:
      out << ToYaml(listing.document ? *listing.document : ordered_json(listing.items));
      break;
    case Format::kName:
      for (const auto& name : listing.names) out << Printable(name) << "\n";
      break;
  }
}

std::string StableBytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

ordered_json ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  const std::unique_ptr<google::protobuf::util::TypeResolver> resolver(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          "type.googleapis.com", message.GetDescriptor()->file()->pool()));
  std::string text;
  if (!google::protobuf::util::BinaryToJsonString(
           resolver.get(), "type.googleapis.com/" + message.GetDescriptor()->full_name(),
           StableBytes(message), &text, options)
           .ok()) {
    return nullptr;
  }
  return ordered_json::parse(text);
}

std::string JsonText(const ordered_json& json, int indent) {
  return PrintableLines(json.dump(indent));
}

std::string ToYaml(const ordered_json& json) {
  YAML::Emitter emitter;
  EmitYaml(emitter, json);
  return PrintableLines(emitter.c_str()) + "\n";
}

}  // namespace gridsweep::sweepctl
