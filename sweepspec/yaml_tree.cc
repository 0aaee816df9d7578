#include "sweepspec/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <new>
#include <set>
#include <sstream>
#include <utility>

#include "common/strings.h"
#include "sweepspec/suggest.h"
#include "sweepspec/yaml_scalar.h"

namespace gridsweep::sweepspec {
namespace {

constexpr size_t kMaxBytes = 4 << 20;
constexpr size_t kMaxNodes = 500'000;
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxKeyBytes = 256;

[[noreturn]] void Fail(const YAML::Mark& mark, const std::string& message) {
  throw YAML::ParserException(mark, message);
}

class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode Take() { return std::move(root_); }

  // The path of the node that is being read.
  std::string Path() const {
    std::string path;
    for (const Frame& frame : stack_) {
      if (frame.node.kind == YamlNode::Kind::kSequence) {
        path += StrCat("[", frame.node.items.size(), "]");
      } else if (frame.key) {
        path += StrCat(path.empty() ? "" : ".", frame.key->key);
      }
    }
    return path;
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node = NodeAt(mark);
    // The parser's place is that of the next token, which may be lines below.
    if (!stack_.empty() && stack_.back().key) {
      node.line = stack_.back().key->line;
      node.column = stack_.back().key->column;
    }
    Add(mark, anchor, std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Fail(mark, "this alias names the node that it stands in");
    nodes_ += found->second.second;
    if (nodes_ > kMaxNodes) Fail(mark, StrCat("more than ", kMaxNodes, " values"));
    YamlNode copy = found->second.first;
    copy.line = static_cast<uint32_t>(mark.line + 1);
    copy.column = static_cast<uint32_t>(mark.column + 1);
    Add(mark, 0, std::move(copy));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = NodeAt(mark);
    node.text = value;
    for (char c : value) {
      if (c == '\0') Fail(mark, "text with a NUL character");
    }
    if (tag == "?" || tag.empty()) {
      ReadPlain(mark, node);
    } else if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      node.scalar = value;
    } else if (OneOf(tag, {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float",
                           "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"})) {
      ReadPlain(mark, node);
      node.wandb_spelling.clear();
      if (std::holds_alternative<std::string>(node.scalar)) {
        Fail(mark, Quoted(value) + " is not what its tag says");
      }
    } else {
      Fail(mark, "the tag " + Quoted(tag) + " has no meaning here; write the value alone");
    }
    Add(mark, anchor, std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A collection that is not complete yet.
  struct Frame {
    YamlNode node;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    size_t nodes_before = 0;
    std::optional<YamlEntry> key;     // kMap: a key that waits for its value
    std::set<std::string> keys = {};  // kMap: those seen
  };

  static void ReadPlain(const YAML::Mark& mark, YamlNode& node) {
    PlainScalar plain = ReadPlainScalar(node.text);
    if (plain.octal_to_wandb) {
      Fail(mark, Quoted(node.text) +
                     " starts with 0, which W&B reads as an octal number; write it without");
    }
    node.scalar = std::move(plain.scalar);
    node.wandb_spelling = std::move(plain.wandb_spelling);
  }

  static YamlNode NodeAt(const YAML::Mark& mark) {
    YamlNode node;
    node.line = static_cast<uint32_t>(mark.line + 1);
    node.column = static_cast<uint32_t>(mark.column + 1);
    return node;
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    if (!OneOf(tag, {"", "?", "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})) {
      Fail(mark, "the tag " + Quoted(tag) + " has no meaning here");
    }
    if (stack_.size() >= kMaxDepth) {
      Fail(mark, StrCat("nested deeper than ", kMaxDepth, " levels"));
    }
    Frame frame{NodeAt(mark), mark, anchor, nodes_, std::nullopt};
    frame.node.kind = kind;
    stack_.push_back(std::move(frame));
  }

  void Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Add(frame.mark, frame.anchor, std::move(frame.node), nodes_ - frame.nodes_before);
  }

  // Puts a complete node where it belongs. `inside` is the number of nodes in it.
  void Add(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode node, size_t inside = 0) {
    if (++nodes_ > kMaxNodes) Fail(mark, StrCat("more than ", kMaxNodes, " values"));
    if (anchor != 0) {
      nodes_ += inside;  // it is kept a second time
      anchors_[anchor] = {node, inside};
    }
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == YamlNode::Kind::kSequence) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.key) {
      frame.key->value = std::move(node);
      frame.node.entries.push_back(*std::move(frame.key));
      frame.key.reset();
    } else {
      AddKey(mark, frame, node);
    }
  }

  static void AddKey(const YAML::Mark& mark, Frame& frame, const YamlNode& node) {
    if (node.kind != YamlNode::Kind::kScalar || node.text.empty())
      Fail(mark, "this key is not text");
    if (node.text.size() > kMaxKeyBytes) {
      Fail(mark, StrCat("this key has ", node.text.size(), " bytes; at most ", kMaxKeyBytes));
    }
    if (node.text == "<<") {
      Fail(mark, "merge keys (<<) are not supported; repeat the keys, or alias single values");
    }
    frame.key = YamlEntry{node.text, node.line, node.column, {}};
    if (!frame.keys.insert(node.text).second) {
      Fail(mark, Quoted(node.text) + " is there twice; remove one (W&B would use the last)");
    }
  }

  YamlNode root_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, std::pair<YamlNode, size_t>> anchors_;
  size_t nodes_ = 0;
};

// Length of the UTF-8 sequence at `i`, 0 when there is none.
size_t Utf8Length(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char lead = byte(i);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return 0;
  for (size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  const unsigned char second = byte(i + 1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

// How much of a value `c` stands for, at most, in halves. The parser keeps all of a nested flow
// collection, a hundred times its bytes, before it tells of its first value: the number of values
// is bounded before it, by the characters without which there are none.
size_t HalvesOfValue(char c) {
  switch (c) {
    case '[':
    case '{':
    case ',':
    case '&':
    case '*':
    case '!':
    case '?':
      return 2;
    case '"':
    case '\'':
    case ':':
      return 1;
    default:
      return 0;
  }
}

bool CheckText(const std::string& text, Notices& notices) {
  uint32_t line = 1, column = 1;
  size_t halves = 0;
  for (size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const size_t length = Utf8Length(text, i);
    if (length == 0) {
      notices.Error({"", line, column}, "the file is not UTF-8 here");
      return false;
    }
    // U+0080 to U+009F are bytes C2 80 to C2 9F.
    const bool high = c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F || high) {
      const int code = high ? static_cast<unsigned char>(text[i + 1]) : c;
      notices.Error({"", line, column}, StrCat("control character ", code));
      return false;
    }
    halves += HalvesOfValue(text[i]);
    if (halves > 2 * kMaxNodes) {
      notices.Error({"", line, column}, StrCat("more than ", kMaxNodes, " values"));
      return false;
    }
    i += length;
    column += static_cast<uint32_t>(length);
    if (c == '\n') {
      ++line;
      column = 1;
    }
  }
  return true;
}

// The first line up to `last` that is indented by a tab, which YAML does not allow.
std::optional<Where> TabInIndentation(const std::string& text, uint32_t last) {
  uint32_t line = 1, column = 1;
  bool indentation = true;
  for (const char c : text) {
    if (indentation && c == '\t') return Where{"", line, column};
    indentation = c == '\n' || (indentation && c == ' ');
    ++column;
    if (c != '\n') continue;
    if (++line > last) break;
    column = 1;
  }
  return std::nullopt;
}

// Whether what the parser says may be due to how lines are indented.
bool OfLayout(const std::string& message) {
  return message == "end of map not found" || message == "end of sequence not found" ||
         message == "illegal tab when looking for indentation" || message == "illegal map value";
}

// What the parser says, in words that name the mend.
std::string ParserMessage(const std::string& message) {
  static const std::map<std::string, std::string> plainer = {
      {"end of map flow not found", "a { or a quote is not closed"},
      {"end of sequence flow not found", "a [ or a quote is not closed"},
      {"end of map not found", "this line is indented like none above it"},
      {"end of sequence not found", "this line is indented like none above it"},
      {"illegal map value",
       "a colon where no key can stand: quote the text, or mend the indentation (spaces, not "
       "tabs)"},
  };
  const auto found = plainer.find(message);
  return found == plainer.end() ? message : found->second;
}

}  // namespace

const YamlEntry* YamlNode::Find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::optional<YamlNode> ParseYaml(const std::string& text, Notices& notices) {
  if (text.size() > kMaxBytes) {
    notices.Error({}, StrCat("the file has ", text.size(), " bytes; at most ", kMaxBytes,
                             " are read: describe values by min, max and q, or split the sweep"));
    return std::nullopt;
  }
  if (!CheckText(text, notices)) return std::nullopt;
  TreeBuilder builder;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      notices.Error({"", 1, 1}, "the file is empty");
      return std::nullopt;
    }
    TreeBuilder rest;
    if (parser.HandleNextDocument(rest)) {
      const YamlNode second = rest.Take();
      notices.Error({"", second.line, second.column},
                    "a second document; a sweep file has one: remove the line ---");
      return std::nullopt;
    }
    return builder.Take();
  } catch (const YAML::Exception& error) {
    Where where{builder.Path()};
    if (!error.mark.is_null()) {
      where.line = static_cast<uint32_t>(error.mark.line + 1);
      where.column = static_cast<uint32_t>(error.mark.column + 1);
      const auto tab = TabInIndentation(text, where.line);
      if (tab && OfLayout(error.msg)) {
        notices.Error(*tab, "a tab in the indentation; YAML allows spaces alone");
        return std::nullopt;
      }
    }
    notices.Error(where, ParserMessage(error.msg));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    notices.Error({}, StrCat("the file cannot be read as YAML: ", error.what()));
  }
  return std::nullopt;
}

}  // namespace gridsweep::sweepspec
