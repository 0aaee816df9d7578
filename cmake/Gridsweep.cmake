# How this project's targets are made: language, warnings, include root.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers need the sloppiness; base_dir lets checkouts share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${CMAKE_SOURCE_DIR}/cmake/ccache.sh ${CCACHE})
endif()

add_library(gridsweep_options INTERFACE)
target_include_directories(gridsweep_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(gridsweep_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  # Equal bits on every processor: no contraction of a*b+c.
  -ffp-contract=off)
if(CCACHE)
  target_compile_options(gridsweep_options INTERFACE -fpch-preprocess)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Else it names some of Abseil's templates as GCC 12 does not.
  target_compile_options(gridsweep_options INTERFACE -fclang-abi-compat=17)
endif()
if(GRIDSWEEP_NATIVE)
  target_compile_options(gridsweep_options INTERFACE -march=native)
endif()
if(GRIDSWEEP_SANITIZE)
  add_compile_options(-fsanitize=${GRIDSWEEP_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${GRIDSWEEP_SANITIZE})
  add_compile_definitions(GRIDSWEEP_SANITIZED)
  if(GRIDSWEEP_SANITIZE MATCHES thread)
    # By it protobuf's headers lay out their maps as the system's library does not.
    add_compile_options(-U__SANITIZE_THREAD__)
    # Which clone to call is decided before ThreadSanitizer is there, which the deciding code calls.
    add_compile_definitions(GRIDSWEEP_NO_CLONES)
    add_library(gridsweep_tsan_handover OBJECT tests/support/tsan_handover.cc)
    target_link_libraries(gridsweep_tsan_handover PRIVATE gridsweep_options gRPC::grpc++ absl::synchronization)
    set(GRIDSWEEP_PROGRAM_PARTS gridsweep_tsan_handover)
  endif()
endif()

# gridsweep_library(NAME SOURCES... PUBLIC deps... PRIVATE deps...)
function(gridsweep_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE gridsweep_options ${ARG_PRIVATE})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# gridsweep_binary(NAME SOURCES... PRIVATE deps...)
function(gridsweep_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PRIVATE" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${GRIDSWEEP_PROGRAM_PARTS} gridsweep_options ${ARG_PRIVATE})
  target_compile_definitions(${name} PRIVATE GRIDSWEEP_VERSION="${PROJECT_VERSION}")
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()

# gridsweep_add_test(NAME COMMAND...): one ctest entry, whose temporary files lie in a directory of its
# own, which ends with it.
function(gridsweep_add_test name)
  add_test(NAME ${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/support/in_own_directory ${ARGN})
endfunction()

# gridsweep_test(NAME SOURCES... PRIVATE deps... LABELS labels... TIMEOUT s): one
# executable, one ctest entry; label "unit" unless said otherwise.
function(gridsweep_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;PRIVATE;LABELS" ${ARGN})
  if(NOT GRIDSWEEP_TESTS)
    return()
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(GRIDSWEEP_SANITIZE)
    math(EXPR ARG_TIMEOUT "5 * ${ARG_TIMEOUT}")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${GRIDSWEEP_PROGRAM_PARTS} gridsweep_options ${ARG_PRIVATE} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    GRIDSWEEP_SOURCE_DIR="${CMAKE_SOURCE_DIR}" GRIDSWEEP_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gridsweep_add_test(${name} $<TARGET_FILE:${name}>)
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
