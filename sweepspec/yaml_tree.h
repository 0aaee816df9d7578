// A YAML document as W&B understands it (YAML 1.1's scalars), every node with
// its place in the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sweepspec/notices.h"
#include "sweepspec/scalar.h"

namespace gridsweep::sweepspec {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kScalar, kSequence, kMap };
  Kind kind = Kind::kScalar;
  uint32_t line = 0, column = 0;  // from 1

  Scalar scalar;
  std::string text;  // the scalar as it is written
  // Of a number that W&B's reader takes for text (1e-4): the spelling that
  // both read alike (1.0e-4). Otherwise empty.
  std::string wandb_spelling;

  std::vector<YamlNode> items;     // kSequence
  std::vector<YamlEntry> entries;  // kMap, in the order of the file; keys differ

  // The value under `key`, or nullptr.
  const YamlEntry* Find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  uint32_t line = 0, column = 0;  // of the key
  YamlNode value;
};

// Reads one document. Refuses, with a place: what is not UTF-8 or holds control
// characters, duplicate keys, keys that are not text, merge keys (<<), tags of
// other types, several documents, keys beyond 256 bytes, and files beyond 4 MiB, 500,000 nodes
// (aliases counted as often as they are used; each of [ { , & * ! ? counted wherever it stands, and
// half for each quote and colon) or a depth of 64. Throws nothing but std::bad_alloc.
std::optional<YamlNode> ParseYaml(const std::string& text, Notices& notices);

}  // namespace gridsweep::sweepspec
