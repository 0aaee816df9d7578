// The canonical form of a stored configuration and SHA-256, made again from
// their definitions (sorted keys, no spaces, RFC 8785 numbers), so that a
// mistake in the code that stored them shows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gridsweep::analysis {

// nullopt when `json` is no JSON object.
std::optional<std::string> RebuildCanonicalConfig(const std::string& json);

// A number as RFC 8785 (and JavaScript) prints it.
std::string CanonicalNumber(double value);
// The same, "NULL" for none.
std::string Shown(const std::optional<double>& value);

// 32 raw bytes.
std::string HashOf(std::string_view bytes);
// nullopt when the file cannot be read to its end.
std::optional<std::string> HashOfFile(const std::filesystem::path& path);
std::string HexOf(std::string_view bytes);

}  // namespace gridsweep::analysis
