// The readers: from a file's tree, or from a message, to a plan.
#pragma once

#include <absl/time/time.h>

#include <optional>

#include "gridsweep/v1/sweep.pb.h"
#include "sweepspec/notices.h"
#include "sweepspec/plan.h"
#include "sweepspec/yaml_tree.h"

namespace gridsweep::sweepspec {

inline constexpr absl::Duration kShortestCheckpointInterval = absl::Seconds(1);
// Of one axis, and of all axes of a file together: each value takes memory.
inline constexpr uint64_t kMaxValues = 1'000'000;
inline constexpr uint64_t kMaxValuesTogether = 2'500'000;
inline constexpr absl::Duration kLongestCheckpointInterval = absl::Hours(720);
// Of free memory, that a sweep may ask for.
inline constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 50;

// Absent when an error was added to `notices`. Combinations of parameters are
// not checked yet.
std::optional<SweepPlan> ReadSweepFile(const YamlNode& root, Notices& notices);
std::optional<SweepPlan> ReadSweepSpec(const v1::SweepSpec& spec, Notices& notices);

// Parts of ReadSweepFile. `parameters:` with its axes, for the plan's method:
void ReadParameters(const YamlEntry& entry, SweepPlan& plan, Notices& notices);
// one entry of it; `grid`: for a grid, not for random draws;
std::optional<Axis> ReadAxis(const science::Parameter& parameter, const std::string& path,
                             const YamlEntry& entry, bool grid, Notices& notices);
// and `gridsweep:`, after the parameters.
void ReadSettings(const YamlEntry& entry, SweepPlan& plan, Notices& notices);

// The place of an entry's key, or of a node, under `path`.
Where At(const std::string& path, const YamlEntry& entry);
Where At(const std::string& path, const YamlNode& node);
// A sweep's name, a label: IsPrintable, at most kMaxNameBytes.
void CheckName(const Where& where, const std::string& name, Notices& notices);
// What a node is, for messages: `0.12`, "a list", "an empty mapping".
std::string Describe(const YamlNode& node);
// A notice where W&B reads the number `node` as text; true when there is one.
bool NoteWandbSpelling(const Where& where, const YamlNode& node, Notices& notices);
// A whole number from `min` to `max`, or an error.
std::optional<int64_t> ReadWholeNumber(const std::string& path, const YamlEntry& entry, int64_t min,
                                       int64_t max, Notices& notices);

}  // namespace gridsweep::sweepspec
