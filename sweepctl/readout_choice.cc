#include "sweepctl/readout_choice.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "common/status.h"
#include "common/strings.h"
#include "science/config/parameters.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/sweep_text.h"
#include "sweepspec/run_config_proto.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepctl {
namespace {

bool IsPair(const std::string& word) { return word.find('=') != std::string::npos; }

bool IsFile(const std::string& word) {
  std::error_code error;
  const auto extension = std::filesystem::path(word).extension();
  return word == "-" || extension == ".yaml" || extension == ".yml" ||
         std::filesystem::exists(word, error);
}

// PARAMETER=VALUE words as the sweep file that they stand for.
SweepText FileOfPairs(const std::vector<std::string>& words) {
  SweepText text{"<arguments>", "method: grid\nparameters:\n"};
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    const std::string value = word.substr(equals + 1);
    text.yaml += StrCat("  ", word.substr(0, equals), ":\n    ",
                        value.starts_with('[') ? "values: " : "value: ", value, "\n");
  }
  return text;
}

std::vector<ReadoutChoice::Readout> Distinct(const std::vector<science::RunConfig>& runs) {
  std::vector<ReadoutChoice::Readout> readouts;
  std::map<std::string, size_t> places;
  for (const auto& config : runs) {
    const std::string kind = sweepspec::CanonicalJson(science::ReadoutOf(config));
    const auto [place, fresh] = places.try_emplace(kind, readouts.size());
    if (fresh) readouts.push_back({config, 0});
    auto& readout = readouts[place->second];
    if (config.seed < readout.config.seed) readout.config = config;
    ++readout.runs;
  }
  return readouts;
}

absl::StatusOr<ReadoutChoice> FromText(Console& console, const SweepText& text,
                                       std::optional<uint64_t> runs) {
  sweepspec::ExpandOptions options;
  options.runs = runs;
  const sweepspec::ExpandResult result = sweepspec::ExpandYaml(text.yaml, options);
  // Notes are about the sweep, not its readouts.
  std::vector<v1::Notice> errors;
  std::ranges::copy_if(result.notices, std::back_inserter(errors), [](const v1::Notice& notice) {
    return notice.severity() == v1::Notice::SEVERITY_ERROR;
  });
  PrintNotices(console, text, errors);
  if (!result.sweep) return absl::InvalidArgumentError(StrCat(text.file, ": is not valid"));
  if (result.sweep->needs_run_count) {
    return UsageError(StrCat(text.file, ": method: random needs a number of draws; give --runs N"));
  }
  return ReadoutChoice{Distinct(result.sweep->runs), ""};
}

}  // namespace

absl::StatusOr<ReadoutChoice> ChooseReadouts(Console& console,
                                             const std::vector<std::string>& words,
                                             std::optional<uint64_t> runs) {
  if (words.size() == 1 && IsFile(words[0])) {
    ASSIGN_OR_RETURN(const SweepText text, ReadSweepText(words[0], console));
    return FromText(console, text, runs);
  }
  if (std::ranges::all_of(words, IsPair)) return FromText(console, FileOfPairs(words), runs);
  if (words.size() == 1) return ReadoutChoice{{}, words[0]};
  const auto odd = std::ranges::find_if_not(words, IsPair);
  return UsageError(StrCat("\"", *odd,
                           "\" is not PARAMETER=VALUE; give one sweep file, one sweep, "
                           "or parameters alone"));
}

}  // namespace gridsweep::sweepctl
