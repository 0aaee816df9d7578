#include "sweepctl/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

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
  Console console{std::cin, std::cout, std::cerr};
  console.in_terminal = isatty(STDIN_FILENO) != 0;
  console.out_terminal = isatty(STDOUT_FILENO) != 0;
  console.err_terminal = isatty(STDERR_FILENO) != 0;
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

std::string Styled(const Console& console, const std::string& style, const std::string& text) {
  if (!console.colour) return text;
  return StrCat("\x1b[", style, "m", text, "\x1b[0m");
}

}  // namespace gridsweep::sweepctl
