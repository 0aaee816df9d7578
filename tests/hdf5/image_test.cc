// What is refused, by the code that looks, in this process; and that it touches no other file.
#include "hdf5/image.h"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/hostile_hdf5.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::hdf5 {
namespace {

TEST(Image, ReadsWhatIsHarmless) {
  const auto file = OpenImage(testing::HarmlessFile());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(CheckOurs(file->objects()).ok());
  EXPECT_EQ(*file->Text("/", "config"), "{}");
  EXPECT_EQ(*file->Read<float>("/ratemaps/n44"), std::vector<float>(2 * 44 * 44, 1.0F));
  EXPECT_EQ(*file->ReadRows<double>("/ratemaps/n44", 1, 1), std::vector<double>(44 * 44, 1.0));
  EXPECT_TRUE(absl::IsNotFound(file->ReadRows<double>("/ratemaps/n44", 2, 1).status()));
  EXPECT_TRUE(absl::IsDataLoss(file->Read<float>("/ratemaps/n44", 44).status()));
  EXPECT_TRUE(absl::IsDataLoss(file->Read<float>("/ratemaps").status()));
  EXPECT_TRUE(absl::IsNotFound(file->Read<float>("/none").status()));
}

TEST(Image, IsRefusedBeforeItPointsAnywhere) {
  const testing::TemporaryDirectory directory;
  const std::filesystem::path secret = directory / "secret";
  std::ofstream(secret) << std::string(64 << 10, 's');
  const int watch = inotify_init1(IN_NONBLOCK);
  ASSERT_GE(inotify_add_watch(watch, secret.c_str(), IN_OPEN | IN_ACCESS), 0);
  for (const auto& hostile : testing::HostileFiles(secret)) {
    const auto file = OpenImage(hostile.bytes);
    const absl::Status status = file.ok() ? CheckOurs(file->objects()) : file.status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << hostile.name;
    EXPECT_NE(status.message().find(hostile.why), absl::string_view::npos)
        << hostile.name << ": " << status;
    if (file.ok()) {
      EXPECT_FALSE(hostile.why != "neither a text nor numbers" &&
                   hostile.why != "neither a group nor a dataset" &&
                   file->Read<float>("/ratemaps/n44").ok())
          << hostile.name;
    }
  }
  char event[4096];
  EXPECT_LT(read(watch, event, sizeof event), 0) << "the other file was opened";
  close(watch);
}

}  // namespace
}  // namespace gridsweep::hdf5
