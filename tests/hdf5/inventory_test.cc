// The list that the reading program sends: whole or refused.
#include "hdf5/inventory.h"

#include <gtest/gtest.h>

#include "hdf5/layout.h"

namespace gridsweep::hdf5 {
namespace {

constexpr uint64_t kFileBytes = 10'000;

Object Maps(std::vector<uint64_t> shape) {
  Object maps;
  maps.path = "/ratemaps/n44";
  maps.kind = Object::Kind::kDataset;
  maps.numbers = NumberKind::kFloat;
  maps.number_bytes = 4;
  maps.shape = std::move(shape);
  return maps;
}

Inventory Sample() {
  Object root;
  root.path = "/";
  root.kind = Object::Kind::kGroup;
  root.attributes = {{"config", Attribute::Kind::kText, 0, std::nullopt, "{}"},
                     {"seed", Attribute::Kind::kNumber, 7, 7, ""},
                     {"loss", Attribute::Kind::kNumber, 0.5, std::nullopt, ""}};
  return {root, Maps({2, 44, 44})};
}

TEST(Inventory, ComesBackAsItWasSent) {
  const auto decoded = Decode(Encode(Sample()), kFileBytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_EQ(decoded->size(), 2u);
  EXPECT_EQ((*decoded)[0].attributes[0].text, "{}");
  EXPECT_EQ((*decoded)[0].attributes[1].whole, 7u);
  EXPECT_EQ((*decoded)[0].attributes[2].number, 0.5);
  EXPECT_FALSE((*decoded)[0].attributes[2].whole);
  EXPECT_EQ((*decoded)[1].shape, (std::vector<uint64_t>{2, 44, 44}));
}

TEST(Inventory, CutOrLengthenedAnywhereIsRefused) {
  const std::string whole = Encode(Sample());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Decode(whole.substr(0, size), kFileBytes).ok()) << size;
  }
  EXPECT_FALSE(Decode(whole + '\0', kFileBytes).ok());
}

TEST(Inventory, OfAnyOtherBytesTakesNoMemoryThatTheyDoNotFill) {
  const std::string whole = Encode(Sample());
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\x00', '\x7f', '\xff'}) {
      std::string changed = whole;
      changed[at] = byte;
      const auto decoded = Decode(changed, kFileBytes);
      if (!decoded.ok()) continue;
      for (const Object& object : *decoded) {
        if (object.kind != Object::Kind::kDataset || !object.refused.empty()) continue;
        EXPECT_TRUE(CanHold(kFileBytes, object));
      }
    }
  }
}

TEST(Inventory, WithMoreNumbersThanTheFileHoldsIsRefused) {
  EXPECT_TRUE(Decode(Encode({Maps({1000, 44, 1})}), kFileBytes).ok());
  EXPECT_FALSE(Decode(Encode({Maps({1'000'000, 44, 44})}), kFileBytes).ok());
  EXPECT_FALSE(Decode(Encode({Maps({(uint64_t{1} << 61) + 1, 8})}), kFileBytes).ok());
}

TEST(Layout, RefusesMapsOfAnotherRankOrKind) {
  EXPECT_TRUE(CheckLayout(Sample()).ok());
  EXPECT_EQ(CheckLayout({Maps({2, 1936})}).message(),
            "/ratemaps/n44 holds floating-point numbers of 2 lengths; floating-point numbers of 3 "
            "belong there");
  Object steps = Maps({3});
  steps.path = "/learning_curve/step";
  EXPECT_FALSE(CheckLayout({steps}).ok());
  steps.numbers = NumberKind::kInteger;
  EXPECT_TRUE(CheckLayout({steps}).ok());
}

TEST(Layout, LetsBeWhatItDoesNotKnow) {
  Object later = Maps({1, 2, 3, 4, 5});
  later.path = "/of/a/later/version";
  EXPECT_TRUE(CheckLayout({later}).ok());
}

}  // namespace
}  // namespace gridsweep::hdf5
