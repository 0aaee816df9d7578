#include "sweepctl/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <streambuf>
#include <string_view>

#include "common/strings.h"
#include "sweepctl/exit_code.h"

namespace gridsweep::sweepctl {
namespace {

// The process's standard output. Unlike std::cout it remembers why it failed.
class StandardOutput : public std::streambuf {
 public:
  StandardOutput() { setp(buffer_, buffer_ + sizeof buffer_); }
  // errno of the first write that failed; 0 where none did.
  int error() const { return error_; }

 protected:
  int_type overflow(int_type c) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }
  int sync() override {
    const char* at = pbase();
    while (error_ == 0 && at < pptr()) {
      const ssize_t n = write(STDOUT_FILENO, at, static_cast<size_t>(pptr() - at));
      if (n >= 0) {
        at += n;
      } else if (errno != EINTR) {
        error_ = errno;
      }
    }
    setp(buffer_, buffer_ + sizeof buffer_);
    return error_ == 0 ? 0 : -1;
  }

 private:
  char buffer_[1 << 16];
  int error_ = 0;
};

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

int TerminalWidth() {
  winsize size{};
  for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return 80;
}

}  // namespace

Console ProcessConsole() {
  static StandardOutput buffer;
  static std::ostream out(&buffer);
  Console console{std::cin, out, std::cerr};
  console.in_terminal = isatty(STDIN_FILENO) != 0;
  console.out_terminal = isatty(STDOUT_FILENO) != 0;
  console.err_terminal = isatty(STDERR_FILENO) != 0;
  // People see results when they are there, and before what stderr says next.
  if (console.out_terminal) out.setf(std::ios::unitbuf);
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  console.out_live = console.out_terminal && !dumb;
  console.err_live = console.err_terminal && !dumb;
  const char* force = std::getenv("CLICOLOR_FORCE");
  const bool forced = force != nullptr && *force != '\0' && std::string_view(force) != "0";
  console.colour = !IsSet("NO_COLOR") && (forced || console.out_live);
  console.width = TerminalWidth();
  return console;
}

int FinishOutput(Console& console, int code) {
  auto* output = dynamic_cast<StandardOutput*>(console.out.rdbuf());
  int error = 0;
  if (!console.out.flush()) error = output != nullptr ? output->error() : EIO;
  // Network disks fail here.
  if (close(STDOUT_FILENO) != 0 && error == 0 && errno != EBADF) error = errno;
  if (error == 0) return code;
  console.err << "sweepctl: cannot write to standard output: " << std::strerror(error) << "\n";
  return code == kDone ? static_cast<int>(kFailed) : code;
}

std::string Styled(const Console& console, const std::string& style, const std::string& text) {
  if (!console.colour) return text;
  return StrCat("\x1b[", style, "m", text, "\x1b[0m");
}

}  // namespace gridsweep::sweepctl
