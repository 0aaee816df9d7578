#include "common/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/printable.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

thread_local const LogContext* innermost = nullptr;
std::string process_worker;

// As a JSON string. JSON itself lets DEL and what terminals obey beyond ASCII stand; their escapes
// are JSON's, too.
std::string Quoted(std::string text) {
  return Printable(nlohmann::json(std::move(text))
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// The message by `Shown` (std::string -> std::string): others' words are in it, and must not make
// lines of their own.
template <std::string (*Shown)(std::string)>
class Message : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    const std::string shown = Shown(std::string(msg.payload.data(), msg.payload.size()));
    dest.append(shown.data(), shown.data() + shown.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Message>();
  }
};

std::string OneLine(std::string text) { return Printable(text); }

}  // namespace

// `,"run":17,"attempt":2,"worker":"node7"`. Lines are formatted by the thread that logs them.
class LogFields : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg&, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    std::string fields;
    if (innermost != nullptr) {
      fields = StrCat(",\"run\":", innermost->run_);
      if (innermost->attempt_ > 0) fields += StrCat(",\"attempt\":", innermost->attempt_);
    }
    const std::string& worker =
        innermost != nullptr && !innermost->worker_.empty() ? innermost->worker_ : process_worker;
    if (!worker.empty()) fields += StrCat(",\"worker\":", Quoted(worker));
    dest.append(fields.data(), fields.data() + fields.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LogFields>();
  }
};

void InitLogging(const std::string& program) {
  auto logger = spdlog::stderr_logger_mt(program);
  const char* format = std::getenv("GRIDSWEEP_LOG_FORMAT");
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  if (format != nullptr && std::string(format) == "json") {
    formatter->add_flag<Message<Quoted>>('*').add_flag<LogFields>('&').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","program":"%n"%&,"message":%*})");
  } else {
    formatter->add_flag<Message<OneLine>>('*').set_pattern("%Y-%m-%d %H:%M:%S.%e %n %l: %*");
  }
  logger->set_formatter(std::move(formatter));
  const char* level = std::getenv("GRIDSWEEP_LOG_LEVEL");
  logger->set_level(spdlog::level::from_str(level == nullptr ? "info" : level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void SetLogWorker(const std::string& worker) { process_worker = worker; }

LogContext::LogContext(int64_t run, int attempt, std::string worker)
    : run_(run), attempt_(attempt), worker_(std::move(worker)), outer_(innermost) {
  innermost = this;
}

LogContext::~LogContext() { innermost = outer_; }

}  // namespace gridsweep
