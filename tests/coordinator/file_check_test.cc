// Files that would have others open files of their machines are refused where they are handed in.
#include <sys/stat.h>

#include <fstream>

#include "hdf5/reader.h"
#include "tests/coordinator/server_fixture.h"
#include "tests/support/hostile_hdf5.h"
#include "worker/hdf5_file.h"

namespace gridsweep::coordinator {
namespace {

namespace fs = std::filesystem;

class FileCheck : public ServerTest {
 protected:
  void SetUp() override {
    options_.reader = *hdf5::Reader::Start();
    Start();
    Create(1);
    leases_ = Lease(Register("w"), 1);
    ASSERT_EQ(leases_.size(), 1u);
    secret_ = directory_ + "/secret";
    std::ofstream(secret_) << std::string(64 << 10, 's');
    chmod(secret_.c_str(), 0600);
  }

  grpc::Status Upload(const std::string& bytes) {
    return ServerTest::Upload(leases_[0], bytes, Sha256::Of(bytes));
  }

  grpc::Status Save(const std::string& bytes) { return ServerTest::Save(leases_[0], bytes); }

  // Whole files under artifacts.
  int StoredFiles() const {
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory_ + "/artifacts")) {
      files += entry.path().extension() == ".h5";
    }
    return files;
  }

  void ExpectRefused(const grpc::Status& status, const std::string& name, const std::string& why) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << name << ": " << status.error_message();
    EXPECT_EQ(Reason(FromGrpc(status)), "REFUSED") << name;
    EXPECT_NE(status.error_message().find(why), std::string::npos)
        << name << ": " << status.error_message();
    EXPECT_EQ(Count("select count(*) from artifacts"), 0) << name;
    EXPECT_EQ(StoredFiles(), 0) << name;
  }

  std::vector<v1::Lease> leases_;
  std::string secret_;
};

TEST_F(FileCheck, RefusesAResultThatPointsElsewhereOrIsNotAsOurs) {
  for (const auto& hostile : testing::HostileFiles(secret_)) {
    ExpectRefused(Upload(hostile.bytes), hostile.name, hostile.why);
  }
  EXPECT_TRUE(Upload(testing::HarmlessFile()).ok());
  EXPECT_EQ(StoredFiles(), 1);
}

TEST_F(FileCheck, RefusesMapsOfAnotherShape) {
  worker::Hdf5Writer file;
  file.Group("/ratemaps");
  file.Dataset("/ratemaps/n44", std::vector<float>(2 * 1936), {2, 1936}, "1");
  ExpectRefused(Upload(file.Bytes()), "maps of rank 2", "/ratemaps/n44 holds");
}

TEST_F(FileCheck, RefusesACheckpointThatPointsElsewhere) {
  for (const auto& hostile : testing::HostileFiles(secret_)) {
    ExpectRefused(Save(hostile.bytes), hostile.name, hostile.why);
  }
  ExpectRefused(Save(testing::HostileCheckpoint(secret_)), "a learning curve elsewhere",
                "/curves/stored/losses has external storage");
  EXPECT_EQ(Count("select count(*) from checkpoints"), 0);
  const grpc::Status saved = Save(testing::HarmlessFile());
  EXPECT_TRUE(saved.ok()) << saved.error_message();
}

TEST_F(FileCheck, IsNotHeldUpByAPipe) {
  const std::string pipe = directory_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const absl::Time start = absl::Now();
  ExpectRefused(Upload(testing::ExternalFile(pipe)), "a pipe", "external storage");
  EXPECT_TRUE(Upload(testing::HarmlessFile()).ok());
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

TEST_F(FileCheck, GoesOnWhereItsReaderWasKilled) {
  kill(options_.reader->pid(), SIGKILL);
  const grpc::Status stored = Upload(testing::HarmlessFile());
  EXPECT_TRUE(stored.ok()) << stored.error_message();
}

}  // namespace
}  // namespace gridsweep::coordinator
