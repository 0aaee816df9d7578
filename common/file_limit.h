// How many files and connections a process may have open.
#pragma once

namespace gridsweep {

// Raises the soft limit to the hard one: the soft limit of most systems, 1024, is for programs that
// use select(2), and a server has a descriptor a connection.
void RaiseFileLimit();

}  // namespace gridsweep
