// An HDF5 identifier that closes itself.
#pragma once

#include <hdf5.h>

namespace gridsweep::hdf5 {

class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  const hid_t id_;
  herr_t (*const close_)(hid_t);
};

// Failures come back as results, not as text on stderr. (The setting belongs to the calling
// thread.)
inline void Quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

}  // namespace gridsweep::hdf5
