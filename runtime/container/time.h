// Times as records and logs hold them: RFC 3339 in UTC with nanoseconds, as docker writes them.
#pragma once

#include <time.h>

#include <optional>
#include <string>
#include <string_view>

namespace strata::container {

// "2024-05-17T09:30:12.123456789Z"
[[nodiscard]] std::string format_time(const timespec& time);
[[nodiscard]] std::string now_text();

// Seconds since the epoch; nullopt if `text` is not of the form above.
[[nodiscard]] std::optional<time_t> parse_time(std::string_view text);

// How long ago, for people: "5 seconds", "3 hours".
[[nodiscard]] std::string human_duration(time_t seconds);

}  // namespace strata::container
