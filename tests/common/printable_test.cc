#include "common/printable.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

TEST(Printable, OrdinaryTextStaysAsItIs) {
  for (const char* text : {"", "worker-7", "Gitterzellen für 44² Bins", "C:\\data", "語", "🧠"}) {
    EXPECT_EQ(Printable(text), text);
    EXPECT_TRUE(IsPrintable(text)) << text;
  }
}

TEST(Printable, WhatMakesLinesOrDrivesTerminalsIsWrittenOut) {
  const std::pair<const char*, const char*> cases[] = {
      {"a\nb", "a\\nb"},
      {"a\r\tb", "a\\r\\tb"},
      {"\x1b[31mred", "\\u001b[31mred"},
      {"\x07\x7f", "\\u0007\\u007f"},
      {"\xC2\x9B" "31m", "\\u009b31m"},                        // CSI in one character
      {"a\xE2\x80\xAE" "b", "a\\u202eb"},                      // right to left from here on
      {"\xE2\x81\xA6\xE2\x80\xA8\xE2\x80\x8F", "\\u2066\\u2028\\u200f"},
      {"\xD8\x9C", "\\u061c"},
  };
  for (const auto& [text, shown] : cases) {
    EXPECT_EQ(Printable(text), shown);
    EXPECT_FALSE(IsPrintable(text)) << shown;
  }
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a\\u0000b");
}

TEST(Printable, BytesThatAreNoTextAreWrittenOut) {
  const std::pair<const char*, const char*> cases[] = {
      {"\xFF", "\\xff"},
      {"a\xC2", "a\\xc2"},
      {"\x9B" "31m", "\\x9b31m"},
      {"\xC0\x9B", "\\xc0\\x9b"},                  // overlong
      {"\xE0\x80\x9B", "\\xe0\\x80\\x9b"},         // overlong
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"},         // half of a surrogate pair
      {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}};  // beyond U+10FFFF
  for (const auto& [text, shown] : cases) {
    EXPECT_EQ(Printable(text), shown);
    EXPECT_FALSE(IsPrintable(text)) << shown;
  }
}

TEST(Printable, LinesKeepTheirEndsAndTabs) {
  EXPECT_EQ(PrintableLines("a:\n\tb\r\n\x1b[2J"), "a:\n\tb\\r\n\\u001b[2J");
}

}  // namespace
}  // namespace gridsweep
