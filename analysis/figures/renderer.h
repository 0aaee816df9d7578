// Pictures of Vega-Lite documents, drawn by a program of its own.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <filesystem>
#include <string>

namespace gridsweep::analysis {

enum class Picture { kSvg, kPng };

// Runs DIRECTORY/render svg|png, which setup/renderer.sh installs: the document
// on its standard input, the picture on its standard output, exit status 0.
class Renderer {
 public:
  struct Options {
    std::filesystem::path directory;
    absl::Duration deadline = absl::Seconds(60);
    size_t most_bytes = 64 << 20;  // of a picture
  };
  explicit Renderer(Options options) : options_(std::move(options)) {}

  // A whole picture. Blocks until the program has ended, which is killed when
  // it takes longer than the deadline or prints more than it may. Thread-safe.
  // Errors: FAILED_PRECONDITION when there is no renderer, saying how to get
  // it; DEADLINE_EXCEEDED; RESOURCE_EXHAUSTED for a picture that is too large;
  // INTERNAL with the end of its standard error when it fails, and when what it
  // prints is no whole picture.
  absl::StatusOr<std::string> Render(const std::string& document, Picture format) const;

 private:
  const Options options_;
};

}  // namespace gridsweep::analysis
