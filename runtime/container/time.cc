#include "runtime/container/time.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace strata::container {

// Not by gmtime_r(3), which reads /etc/localtime first.
std::string format_time(const timespec& time) {
  using namespace std::chrono;
  const sys_seconds point{seconds(time.tv_sec)};
  const auto day = floor<days>(point);
  const year_month_day date(day);
  const hh_mm_ss clock(point - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld.%09ldZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                clock.seconds().count(), time.tv_nsec);
  return text.data();
}

std::string now_text() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return format_time(now);
}

std::optional<time_t> parse_time(std::string_view text) {
  const std::string copy(text);
  tm parts{};
  const char* rest = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr || (*rest != '.' && *rest != 'Z')) return std::nullopt;
  return ::timegm(&parts);
}

std::string human_duration(time_t seconds) {
  constexpr time_t kMinute = 60;
  constexpr time_t kHour = 60 * kMinute;
  constexpr time_t kDay = 24 * kHour;
  const auto plural = [](time_t n, const char* unit) {
    return std::to_string(n) + " " + unit + (n == 1 ? "" : "s");
  };
  if (seconds < 1) return "Less than a second";
  if (seconds < kMinute) return plural(seconds, "second");
  if (seconds < kHour) return plural(seconds / kMinute, "minute");
  if (seconds < 2 * kDay) return plural(seconds / kHour, "hour");
  return plural(seconds / kDay, "day");
}

}  // namespace strata::container
