#include "common/strings.h"

#include <gtest/gtest.h>

#include "common/sha256.h"

namespace gridsweep {
namespace {

TEST(Hex, RoundTripsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_EQ(FromHex(ToHex(bytes)), bytes);
  EXPECT_EQ(ToHex("\x0f\xa0"), "0fa0");
}

TEST(Hex, MalformedTextGivesNothing) {
  EXPECT_EQ(FromHex("abc"), "");
  EXPECT_EQ(FromHex("zz"), "");
}

TEST(Sha256, AgreesWithThePublishedVectors) {
  // FIPS 180-4, appendix B.
  EXPECT_EQ(ToHex(Sha256::Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 parts;
  parts.Update("a");
  parts.Update("bc");
  EXPECT_EQ(parts.Digest(), Sha256::Of("abc"));
}

}  // namespace
}  // namespace gridsweep
