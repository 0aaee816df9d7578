#include "analysis/queries/filter.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "common/status.h"
#include "common/strings.h"
#include "science/config/parameters.h"
#include "sweepspec/suggest.h"

namespace gridsweep::analysis {
namespace {

enum class TokenKind { kWord, kString, kOperator, kEnd, kBad };

struct Token {
  TokenKind kind;
  std::string text;  // a string's without its quotes; what is wrong, for kBad
  size_t column;     // from 1
};

bool IsWordChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '+' ||
         c == '-';
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token Next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    const size_t start = at_;
    if (at_ == text_.size()) return {TokenKind::kEnd, "", start + 1};
    const char c = text_[at_];
    if (c == '"' || c == '\'') return Quoted(c);
    if (IsWordChar(c)) {
      while (at_ < text_.size() && IsWordChar(text_[at_])) ++at_;
      return {TokenKind::kWord, std::string(text_.substr(start, at_ - start)), start + 1};
    }
    for (const std::string_view op : {"!=", "<=", ">=", "==", "=", "<", ">"}) {
      if (text_.substr(at_, op.size()) == op) {
        at_ += op.size();
        return {TokenKind::kOperator, std::string(op), start + 1};
      }
    }
    // All bytes of a character: a part of it is no text.
    do ++at_;
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80);
    return {TokenKind::kBad,
            StrCat("unexpected character '", std::string(text_.substr(start, at_ - start)), "'"),
            start + 1};
  }

 private:
  Token Quoted(char quote) {
    const size_t start = at_++;
    std::string text;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      if (text_[at_] == '\0') {
        return {TokenKind::kBad, "this string has a NUL character", start + 1};
      }
      text += text_[at_++];
    }
    if (at_ == text_.size())
      return {TokenKind::kBad, "this string has no closing quote", start + 1};
    ++at_;
    return {TokenKind::kString, text, start + 1};
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::optional<NumberLiteral> ParseNumber(std::string_view text) {
  std::string_view digits = text;
  if (!digits.empty() && digits[0] == '+') digits.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return NumberLiteral{std::string(digits), value};
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view path) : lexer_(text), path_(path) { Advance(); }

  absl::StatusOr<std::vector<Condition>> Filter() {
    std::vector<Condition> conditions;
    if (token_.kind == TokenKind::kEnd) return conditions;
    for (;;) {
      if (conditions.size() == kMaxConditions) {
        return Wrong(token_, StrCat("more than ", kMaxConditions, " conditions; ask in parts"));
      }
      ASSIGN_OR_RETURN(Condition condition, OneCondition());
      conditions.push_back(std::move(condition));
      if (token_.kind == TokenKind::kEnd) return conditions;
      if (token_.kind != TokenKind::kWord || !EqualIgnoringCase(token_.text, "AND")) {
        return Wrong(token_, StrCat("expected AND or the end, got ", Shown(token_),
                                    "; conditions are joined by AND alone"));
      }
      Advance();
    }
  }

 private:
  void Advance() { token_ = lexer_.Next(); }

  static std::string Shown(const Token& token) {
    if (token.kind == TokenKind::kEnd) return "the end";
    if (token.kind == TokenKind::kBad) return token.text;
    return StrCat("\"", token.text, "\"");
  }

  absl::Status Wrong(const Token& token, std::string_view what) const {
    return InvalidField(path_, StrCat("column ", token.column, ": ",
                                      token.kind == TokenKind::kBad ? token.text : what));
  }

  absl::StatusOr<Condition> OneCondition() {
    const Token name = token_;
    if (name.kind != TokenKind::kWord) {
      return Wrong(name, StrCat("expected the name of a field, got ", Shown(name)));
    }
    const Field* field = FindField(name.text);
    if (field == nullptr) return Wrong(name, NoSuchField(name.text, false));
    Advance();
    const Token op_token = token_;
    if (op_token.kind != TokenKind::kOperator) {
      return Wrong(op_token, StrCat("expected one of = != < <= > >= after ", name.text, ", got ",
                                    Shown(op_token)));
    }
    Advance();
    const Token value = token_;
    if (value.kind != TokenKind::kWord && value.kind != TokenKind::kString) {
      return Wrong(value, StrCat("expected a value for ", name.text, ", got ", Shown(value)));
    }
    Advance();
    Condition condition{field, Operator(op_token.text), std::string()};
    RETURN_IF_ERROR(SetValue(condition, op_token, value));
    return condition;
  }

  static CompareOp Operator(std::string_view text) {
    if (text == "!=") return CompareOp::kNe;
    if (text == "<") return CompareOp::kLt;
    if (text == "<=") return CompareOp::kLe;
    if (text == ">") return CompareOp::kGt;
    if (text == ">=") return CompareOp::kGe;
    return CompareOp::kEq;
  }

  absl::Status SetValue(Condition& condition, const Token& op, const Token& value) const {
    const Field& field = *condition.field;
    const bool ordering = condition.op != CompareOp::kEq && condition.op != CompareOp::kNe;
    if (field.is_draw) return SetDraw(condition, op, value);
    switch (field.type) {
      case FieldType::kInt:
      case FieldType::kNumber: {
        const auto number = ParseNumber(value.text);
        if (!number) {
          return Wrong(value, StrCat(field.name, " is a number, and ", Shown(value), " is none"));
        }
        condition.value = *number;
        return absl::OkStatus();
      }
      case FieldType::kBool:
        if (!EqualIgnoringCase(value.text, "true") && !EqualIgnoringCase(value.text, "false")) {
          return Wrong(value, StrCat(field.name, " is true or false, not ", Shown(value)));
        }
        if (ordering) return Wrong(op, StrCat(field.name, " is a boolean: only = and != apply"));
        condition.value = EqualIgnoringCase(value.text, "true");
        return absl::OkStatus();
      case FieldType::kText:
        if (ordering) return Wrong(op, StrCat(field.name, " is text: only = and != apply"));
        return SetText(condition, value);
    }
    return absl::OkStatus();
  }

  absl::Status SetText(Condition& condition, const Token& value) const {
    const auto& choices = condition.field->choices;
    if (choices.empty()) {
      condition.value = value.text;
      return absl::OkStatus();
    }
    for (const auto& [word, choice] : condition.field->also) {
      if (!EqualIgnoringCase(word, value.text)) continue;
      condition.value = std::string(choice);
      return absl::OkStatus();
    }
    std::string list;
    for (const auto choice : choices) {
      if (EqualIgnoringCase(choice, value.text)) {
        condition.value = std::string(choice);
        return absl::OkStatus();
      }
      list += StrCat(list.empty() ? "" : ", ", choice);
    }
    return Wrong(value, StrCat(condition.field->name, " cannot be ", Shown(value),
                               sweepspec::DidYouMean(value.text, choices), "; it is one of ", list));
  }

  // Draws are compared by their range with <, <=, >, >= (all of it must hold)
  // and by their canonical text with = and !=.
  absl::Status SetDraw(Condition& condition, const Token& op, const Token& value) const {
    const Field& field = *condition.field;
    if (condition.op == CompareOp::kEq || condition.op == CompareOp::kNe) {
      const auto draw = science::ParseDraw(value.text);
      if (!draw) {
        return Wrong(value, StrCat(field.name,
                                   " is a number, \"Uniform( a , b )\" or "
                                   "\"Poisson( r )\" (quoted); ",
                                   Shown(value), " is none"));
      }
      condition.value = science::DrawText(*draw);
      return absl::OkStatus();
    }
    if (field.low_sql.empty()) {
      return Wrong(op, StrCat(field.name, " may be a distribution: only = and != apply"));
    }
    const auto number = ParseNumber(value.text);
    if (!number) {
      return Wrong(value, StrCat(field.name, " is compared with a number by ", op.text, ", and ",
                                 Shown(value), " is none"));
    }
    condition.value = *number;
    return absl::OkStatus();
  }

  Lexer lexer_;
  const std::string_view path_;
  Token token_;
};

}  // namespace

std::string_view SqlOperator(CompareOp op) {
  switch (op) {
    case CompareOp::kEq:
      return "=";
    case CompareOp::kNe:
      return "<>";
    case CompareOp::kLt:
      return "<";
    case CompareOp::kLe:
      return "<=";
    case CompareOp::kGt:
      return ">";
    case CompareOp::kGe:
      return ">=";
  }
  return "=";
}

absl::StatusOr<std::vector<Condition>> ParseFilter(std::string_view text, std::string_view path) {
  if (text.size() > kMaxFilterBytes) {
    return InvalidField(path,
                        StrCat("column ", kMaxFilterBytes + 1, ": the filter has ", text.size(),
                               " bytes; at most ", kMaxFilterBytes, " are read"));
  }
  return Parser(text, path).Filter();
}

}  // namespace gridsweep::analysis
