# gridsweep_libtorch: the system's LibTorch, or the one in GRIDSWEEP_TORCH_DIR.

add_library(gridsweep_libtorch INTERFACE)
target_link_libraries(gridsweep_libtorch INTERFACE ${CMAKE_DL_LIBS})

if(NOT GRIDSWEEP_TORCH_DIR)
  # Who links the integrator links LibTorch's targets, in folders of their own.
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
  find_package(Torch REQUIRED)
  target_include_directories(gridsweep_libtorch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(gridsweep_libtorch INTERFACE ${TORCH_LIBRARIES})
  return()
endif()

# A LibTorch with CUDA has CMake files that ask for the CUDA toolkit and its compiler. Calling it
# takes neither: no CUDA header is included here, and libtorch.so brings the CUDA libraries.
set(torch_libraries "")
foreach(name torch torch_cpu c10)
  set(library ${GRIDSWEEP_TORCH_DIR}/lib/lib${name}.so)
  if(NOT EXISTS ${library})
    message(FATAL_ERROR "${library} is missing. GRIDSWEEP_TORCH_DIR is the folder of a LibTorch that "
      "holds include and lib; setup/fetch_cuda_torch makes one for the preset cuda.")
  endif()
  list(APPEND torch_libraries ${library})
endforeach()
# libtorch.so itself has no symbol that is called: it is what brings CUDA.
target_link_libraries(gridsweep_libtorch INTERFACE
  -Wl,--push-state,--no-as-needed ${torch_libraries} -Wl,--pop-state)

# Beside its own headers lie those of protobuf, fmt and others, in other versions than the
# system's. Links to its own hide the others.
set(torch_headers ${PROJECT_BINARY_DIR}/torch-headers)
file(MAKE_DIRECTORY ${torch_headers})
foreach(folder ATen c10 torch)
  file(REMOVE ${torch_headers}/${folder})
  file(CREATE_LINK ${GRIDSWEEP_TORCH_DIR}/include/${folder} ${torch_headers}/${folder} SYMBOLIC)
endforeach()
target_include_directories(gridsweep_libtorch SYSTEM INTERFACE
  ${torch_headers} ${torch_headers}/torch/csrc/api/include)
