// Memory that many calls may hold together.
#pragma once

#include <atomic>
#include <cstddef>

namespace gridsweep {

class ByteBudget {
 public:
  explicit ByteBudget(size_t limit) : limit_(limit) {}
  size_t limit() const { return limit_; }

  // One call's part of it, given back by the destructor.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(budget) {}
    ~Share() { budget_.taken_ -= taken_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // `bytes` more; false, and nothing taken, where the budget has less left.
    [[nodiscard]] bool Take(size_t bytes) {
      if (budget_.taken_.fetch_add(bytes) + bytes > budget_.limit_) {
        budget_.taken_ -= bytes;
        return false;
      }
      taken_ += bytes;
      return true;
    }
    size_t taken() const { return taken_; }

   private:
    ByteBudget& budget_;
    size_t taken_ = 0;
  };

 private:
  const size_t limit_;
  std::atomic<size_t> taken_ = 0;
};

}  // namespace gridsweep
