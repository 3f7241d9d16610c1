#include "probes/text.h"

#include <csignal>

#include <gtest/gtest.h>

namespace strata::probes {
namespace {

TEST(Printable, KeepsTextAndEscapesTheRest) {
  EXPECT_EQ(printable("plain"), "plain");
  EXPECT_EQ(printable("größer ◆ 漢 🙂"), "größer ◆ 漢 🙂");
  EXPECT_EQ(printable("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(printable("\033[31mred"), "\\x1b[31mred");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("cut\xc3"), "cut\\xc3");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");                               // the one-character form of ESC [
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong '/'
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable("\u202e"), "\\xe2\\x80\\xae");        // right-to-left override
}

TEST(Fit, PadsOrCuts) {
  EXPECT_EQ(fit("ab", 4), "ab  ");
  EXPECT_EQ(fit("abcd", 4), "abcd");
  EXPECT_EQ(fit("abcde", 4), "abc…");
  EXPECT_EQ(fit("äöüßx", 4), "äöü…");
  EXPECT_EQ(fit("abc", 1), "…");
  EXPECT_EQ(fit("abc", 0), "");
  EXPECT_EQ(pad_left("7", 3), "  7");
  EXPECT_EQ(pad_left("7777", 3), "7777");
  EXPECT_EQ(columns_of("µs"), 2u);
}

TEST(Numbers, ReadWell) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1'000), "1,000");
  EXPECT_EQ(with_thousands(-1'234'567), "-1,234,567");
  EXPECT_EQ(microseconds(1'234'567), "1,235");
  EXPECT_EQ(duration(870), "870 ns");
  EXPECT_EQ(duration(12'340), "12.3 µs");
  EXPECT_EQ(duration(4'560'000), "4.56 ms");
  EXPECT_EQ(duration(789'000'000), "789 ms");
  EXPECT_EQ(duration(7'890'000'000), "7.89 s");
}

TEST(ShellLine, QuotesWhereAShellNeedsIt) {
  EXPECT_EQ(shell_line({"ls", "-l", "/tmp"}), "ls -l /tmp");
  EXPECT_EQ(shell_line({"sh", "-c", "a; b", ""}), "sh -c 'a; b' ''");
  EXPECT_EQ(shell_line({"it's"}), "'it'\\''s'");
}

TEST(SignalName, KnowsThem) {
  EXPECT_EQ(signal_name(SIGKILL), "KILL");
  EXPECT_EQ(signal_name(200), "200");
}

}  // namespace
}  // namespace strata::probes
