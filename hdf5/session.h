// One file, read for one program: the part of gridsweep-hdf5-reader that a hostile file can reach.
#pragma once

namespace gridsweep::hdf5 {

// Maps `file`, gives up all but memory and `session`, and answers until the other end closes.
// The process's exit status.
int ServeFile(int session, int file);

}  // namespace gridsweep::hdf5
