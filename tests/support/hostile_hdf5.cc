#include "tests/support/hostile_hdf5.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <zlib.h>

#include <functional>

namespace gridsweep::testing {
namespace {

constexpr hsize_t kShape[3] = {2, 44, 44};
constexpr hsize_t kCount = 2 * 44 * 44;
constexpr char kMaps[] = "/ratemaps/n44";

hid_t WithParents() {
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  return links;
}

void Text(hid_t object, const char* name, const std::string& text) {
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, text.size());
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, text.data());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

// A file with attributes, to which `add` adds.
std::string FileWith(const std::function<void(hid_t)>& add) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 16, false);
  H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110);
  const hid_t file = H5Fcreate("hostile", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  EXPECT_GE(file, 0);
  Text(file, "config", "{}");
  add(file);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::string bytes(static_cast<size_t>(H5Fget_file_image(file, nullptr, 0)), '\0');
  EXPECT_EQ(H5Fget_file_image(file, bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
  H5Fclose(file);
  return bytes;
}

// A dataset whose creation list `shape_storage` sets; without numbers where `values` is false.
void Dataset(hid_t file, const char* path, hid_t type, const std::vector<hsize_t>& shape,
             bool values, const std::function<void(hid_t)>& set_storage) {
  const hid_t links = WithParents(), create = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(create, false);  // the same bytes each time
  set_storage(create);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, path, type, space, links, create, H5P_DEFAULT);
  EXPECT_GE(dataset, 0) << path;
  if (values) {
    const std::vector<float> ones(kCount, 1.0F);
    EXPECT_GE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, ones.data()), 0);
  }
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(create);
  H5Pclose(links);
}

void Maps(hid_t file, bool values, const std::function<void(hid_t)>& set_storage) {
  Dataset(file, kMaps, H5T_IEEE_F32LE, {kShape, kShape + 3}, values, set_storage);
}

void Chunked(hid_t create) {
  const hsize_t chunk[3] = {1, 44, 44};
  H5Pset_chunk(create, 3, chunk);
}

void Nothing(hid_t) {}

hid_t Traverse(const char*, hid_t, const void*, size_t, hid_t, hid_t) { return -1; }

void LinkOfUsersOwn(hid_t file) {
  constexpr int kClass = 200;
  const H5L_class_t link = {H5L_LINK_CLASS_T_VERS, static_cast<H5L_type_t>(kClass),
                            "own", nullptr, nullptr, nullptr, Traverse, nullptr, nullptr};
  EXPECT_GE(H5Lregister(&link), 0);
  const hid_t links = WithParents();
  EXPECT_GE(H5Lcreate_ud(file, kMaps, static_cast<H5L_type_t>(kClass), nullptr, 0, links,
                         H5P_DEFAULT),
            0);
  H5Pclose(links);
  H5Lunregister(static_cast<H5L_type_t>(kClass));
}

}  // namespace

std::string HarmlessFile() {
  return FileWith([](hid_t file) {
    Maps(file, true, [](hid_t create) {
      Chunked(create);
      H5Pset_shuffle(create);
      H5Pset_deflate(create, 4);
    });
  });
}

std::string ExternalFile(const std::string& other) {
  return FileWith([&](hid_t file) {
    Maps(file, false, [&](hid_t create) {
      H5Pset_external(create, other.c_str(), 0, kCount * sizeof(float));
    });
  });
}

std::vector<HostileFile> HostileFiles(const std::string& other) {
  const hid_t links = WithParents();
  std::vector<HostileFile> files;
  const auto add = [&](const char* name, const char* why,
                       const std::function<void(hid_t)>& make) {
    files.push_back({name, FileWith(make), why});
  };
  files.push_back({"external storage", ExternalFile(other), "external storage"});
  add("a virtual dataset", "virtual dataset", [&](hid_t file) {
    const hid_t space = H5Screate_simple(3, kShape, nullptr);
    Maps(file, false, [&](hid_t create) {
      EXPECT_GE(H5Pset_virtual(create, space, other.c_str(), "/n44", space), 0);
    });
    H5Sclose(space);
  });
  add("an external link to the maps", "link into another file", [&](hid_t file) {
    EXPECT_GE(H5Lcreate_external(other.c_str(), "/n44", file, kMaps, links, H5P_DEFAULT), 0);
  });
  add("an external link to their group", "link into another file", [&](hid_t file) {
    EXPECT_GE(H5Lcreate_external(other.c_str(), "/", file, "/ratemaps", links, H5P_DEFAULT), 0);
  });
  add("a soft link", "soft link", [&](hid_t file) {
    EXPECT_GE(H5Lcreate_soft("/elsewhere", file, kMaps, links, H5P_DEFAULT), 0);
  });
  add("a link of a kind of its own", "link of an unknown kind", LinkOfUsersOwn);
  add("a filter that checks", "filter 3", [](hid_t file) {
    Maps(file, true, [](hid_t create) {
      Chunked(create);
      H5Pset_fletcher32(create);
    });
  });
  add("deflate upon deflate", "each once", [](hid_t file) {
    Maps(file, true, [](hid_t create) {
      Chunked(create);
      H5Pset_deflate(create, 1);
      H5Pset_deflate(create, 1);
    });
  });
  add("texts in place of numbers", "does not hold numbers", [](hid_t file) {
    Dataset(file, kMaps, H5T_C_S1, {2, 44, 44}, false, Nothing);
  });
  add("an attribute that is a reference", "neither a text nor numbers", [](hid_t file) {
    Maps(file, true, Nothing);
    const hid_t space = H5Screate(H5S_SCALAR);
    H5Aclose(H5Acreate2(file, "points", H5T_STD_REF_OBJ, space, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
  });
  add("more numbers than it can hold", "more numbers than the file can hold", [](hid_t file) {
    Dataset(file, kMaps, H5T_IEEE_F32LE, {hsize_t{1} << 40, 44, 44}, false, Chunked);
  });
  add("numbers whose product wraps around", "more numbers than the file can hold", [](hid_t file) {
    Dataset(file, kMaps, H5T_IEEE_F32LE, {(hsize_t{1} << 61) + 1, 8}, false, [](hid_t create) {
      const hsize_t chunk[2] = {1, 8};
      H5Pset_chunk(create, 2, chunk);
    });
  });
  add("chunks of 512 MiB", "chunks of more than 256 MiB", [](hid_t file) {
    Dataset(file, kMaps, H5T_IEEE_F32LE, {1 << 27}, false, [](hid_t create) {
      const hsize_t chunk = 1 << 27;
      H5Pset_chunk(create, 1, &chunk);
    });
  });
  add("a group that holds itself", "levels of groups", [&](hid_t file) {
    H5Gclose(H5Gcreate2(file, "/ratemaps", links, H5P_DEFAULT, H5P_DEFAULT));
    EXPECT_GE(H5Lcreate_hard(file, "/ratemaps", file, "/ratemaps/n44", links, H5P_DEFAULT), 0);
  });
  add("a named type", "neither a group nor a dataset", [](hid_t file) {
    Maps(file, true, Nothing);
    const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Tclose(type);
  });
  files.push_back({"bytes of anything", std::string(4096, 'x'), "no HDF5 file"});
  files.push_back({"nothing", "", "empty"});
  files.push_back({"half a file", HarmlessFile().substr(0, 1000), "no HDF5 file"});
  H5Pclose(links);
  return files;
}

std::string HostileCheckpoint(const std::string& other) {
  return FileWith([&](hid_t file) {
    Dataset(file, "/curves/stored/losses", H5T_IEEE_F64LE, {64, 2}, false, [&](hid_t create) {
      H5Pset_external(create, other.c_str(), 0, 64 * 2 * sizeof(double));
    });
  });
}

std::string InflatingFile(size_t bytes) {
  std::string packed;
  z_stream stream = {};
  EXPECT_EQ(deflateInit(&stream, 1), Z_OK);
  const std::string zeros(1 << 20, '\0');
  std::string part(1 << 16, '\0');
  for (size_t done = 0; done <= bytes; done += zeros.size()) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
    stream.avail_in = static_cast<uInt>(zeros.size());
    const bool last = done + zeros.size() > bytes;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(part.data());
      stream.avail_out = static_cast<uInt>(part.size());
      deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
      packed.append(part, 0, part.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return FileWith([&](hid_t file) {
    Maps(file, false, [](hid_t create) {
      const hsize_t chunk[3] = {2, 44, 44};
      H5Pset_chunk(create, 3, chunk);
      H5Pset_deflate(create, 1);
    });
    const hid_t dataset = H5Dopen2(file, kMaps, H5P_DEFAULT);
    const hsize_t start[3] = {};
    EXPECT_GE(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, start, packed.size(), packed.data()), 0);
    H5Dclose(dataset);
  });
}

}  // namespace gridsweep::testing
