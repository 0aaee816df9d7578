// What the program that reads files from elsewhere gives up before it looks at one. All of it works
// without privileges and cannot be taken back.
#pragma once

#include <cstdint>

namespace gridsweep::hdf5 {

// From here on, this process and those it forks open no file and no directory, and where the kernel
// knows how, connect and listen nowhere (Landlock). Its version in this kernel; 0 where it has
// none, which ForbidAllButMemory makes up for.
int ForbidFiles();

// From here on, this process has memory and the descriptors that it holds, to be read with recv and
// answered on with send; opening a file fails, and any other system call ends it at once (seccomp).
// Whether the kernel took the filter.
bool ForbidAllButMemory();

// Bounds memory and processor time by what an honest file of `file_bytes` needs; beyond, memory is
// refused and SIGXCPU ends the process. Whether the kernel took the limits.
bool LimitMemoryAndTime(uint64_t file_bytes);

}  // namespace gridsweep::hdf5
