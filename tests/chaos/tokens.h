// The bearer tokens of a cluster that asks for them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gridsweep/v1/admin.pb.h"

namespace gridsweep::testing {

// An admin's token, and one for each worker, in files of a directory. Not thread-safe.
class Tokens {
 public:
  // `coordinators`: their unix sockets, any of which is asked.
  Tokens(std::filesystem::path directory, std::vector<std::string> coordinators);

  // Keeps the admin's `secret`.
  void SetAdmin(const std::string& secret);
  const std::string& admin() const { return admin_; }
  std::filesystem::path AdminFile() const { return directory_ / "admin.token"; }
  std::filesystem::path FileOf(int worker) const;

  // Makes a new token for the worker and puts it into its file. False when no coordinator does so.
  bool Replace(int worker) const { return Put(worker, v1::ROLE_WORK); }
  // The same with a token that may look, but not work.
  bool Demote(int worker) const { return Put(worker, v1::ROLE_READ); }
  // Revokes the worker's newest token, whose secret stays in its file. False likewise.
  bool Revoke(int worker) const;

 private:
  bool Put(int worker, v1::Role role) const;
  std::string NameOf(int worker) const;

  const std::filesystem::path directory_;
  const std::vector<std::string> coordinators_;
  std::string admin_;
  mutable std::map<int, int> made_;  // how many a worker has had
};

}  // namespace gridsweep::testing
