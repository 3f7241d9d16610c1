#include "bench/report/report.h"

#include <gmock/gmock.h>

#include "bench/report/assets.h"
#include "bench/report/html.h"
#include "tests/bench/python.h"
#include "tests/bench/sample_document.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

using strata::testing::FailsWith;
using strata::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::sample_document;

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::optional<std::string> lacks_charts() {
  if (charts_missing().empty()) return std::nullopt;
  return "this build has no chart library: " + std::string(charts_missing());
}

TEST(Html, TextStaysText) {
  EXPECT_EQ(escape_html("<a href=\"x\" id='y'>&"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(escape_script_json(R"({"a": "</script><!--"})"), R"({"a": "\u003c/script>\u003c!--"})");
}

TEST(Html, TemplatesAreFilledOnce) {
  STRATA_ASSERT_OK(const std::string text,
                   fill_template("{{a}}-{{b}}", {{"a", "{{b}}"}, {"b", "2"}}));
  EXPECT_EQ(text, "{{b}}-2");
  EXPECT_THAT(fill_template("{{c}}", {}), FailsWith(EINVAL, "'c'"));
}

TEST(Html, NamesTheDigestOfAScript) {
  // printf alert\(1\) | openssl dgst -sha256 -binary | base64
  STRATA_ASSERT_OK(const std::string source, script_source("alert(1)"));
  EXPECT_EQ(source, "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='");
}

class ReportTest : public ::testing::Test {
 protected:
  struct Page {
    std::string html;     // as it was written
    std::string dom;      // what a browser makes of it
    std::string console;  // what the browser complained about
  };

  // Opens the page in a browser that has no network but its own loopback.
  Page open(std::span<const Document> documents, const ReportOptions& options = {}) {
    Page page;
    auto html = render_report(documents, options);
    EXPECT_THAT(html, IsOk());
    page.html = html.value_or("");
    const auto path = dir_.write("report.html", page.html);
    const auto profile = (dir_ / "profile").string();
    const auto done = strata::testing::run(
        {"unshare", "--net", "timeout", "90", "chromium", "--headless", "--no-sandbox",
         "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--user-data-dir=" + profile,
         "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom",
         "file://" + path.string()});
    EXPECT_EQ(done.status, 0) << done.err;
    page.dom = done.out;
    std::istringstream lines(done.err);
    // What the browser says of its own resources (chrome://) is not the page's.
    for (std::string line; std::getline(lines, line);)
      if (line.find("CONSOLE") != std::string::npos &&
          line.find("chrome://resources/") == std::string::npos)
        page.console += line + "\n";
    return page;
  }

  strata::testing::TempDir dir_;
};

#define NEEDS_BROWSER()             \
  STRATA_NEEDS_ROOT();              \
  STRATA_NEEDS_PROGRAM("unshare");  \
  STRATA_NEEDS_PROGRAM("chromium"); \
  STRATA_NEEDS(lacks_charts())

TEST_F(ReportTest, DrawsARun) {
  NEEDS_BROWSER();
  const Document document = sample_document();
  const Page page = open({&document, 1});
  EXPECT_EQ(page.console, "");
  EXPECT_THAT(page.dom,
              HasSubstr("<title>Startup benchmark, 2026-01-31 12:00 UTC, sample 1</title>"));
  // Every trial and ratios of both times, memory apart for VMs, the run, processes, calls.
  EXPECT_EQ(count(page.dom, "<svg class=\"plot\""), 9U);
  EXPECT_EQ(count(page.dom, "<figcaption"), 8U);
  EXPECT_EQ(count(page.dom, "role=\"img\""), 9U);
  EXPECT_THAT(page.dom, HasSubstr("tcg: software emulation, not a hardware VM"));
  EXPECT_THAT(page.dom, HasSubstr("the guest's CPU was emulated in software (QEMU TCG)"));
  EXPECT_THAT(page.dom, HasSubstr("skipped: /dev/kvm: Permission denied"));
  EXPECT_THAT(page.dom, HasSubstr("AMD EPYC 9B14"));
  EXPECT_THAT(page.dom, HasSubstr("strata run --rm debian:bookworm"));
  EXPECT_THAT(page.dom, HasSubstr("download=\"20260131T120000Z-sample-1.json\""));
}

TEST_F(ReportTest, PutsRunsSideBySide) {
  NEEDS_BROWSER();
  std::vector<Document> documents{sample_document(1), sample_document(2, 0.8), sample_document(3)};
  documents[2].context.kernel.release = "6.1.0";
  documents[2].targets.pop_back();
  std::erase_if(documents[2].samples,
                [](const Sample& sample) { return sample.target == "docker"; });
  const Page page = open(documents, {.title = "Three kernels"});
  EXPECT_EQ(page.console, "");
  EXPECT_THAT(page.dom, HasSubstr("<h1>Three kernels</h1>"));
  EXPECT_THAT(page.dom, HasSubstr("Runs compared"));
  EXPECT_THAT(page.dom, HasSubstr("A → C"));
  EXPECT_THAT(page.dom, HasSubstr("<em>faster</em>"));
  EXPECT_THAT(page.dom,
              HasSubstr("A and C did not run under the same conditions: </strong>kernel"));
  EXPECT_EQ(count(page.dom, "<svg class=\"plot\""), 2 + 3 * 9U);
}

TEST_F(ReportTest, NothingInADocumentExecutes) {
  NEEDS_BROWSER();
  const std::string attack =
      "</script><script>document.title='owned'</script><img src=x "
      "onerror=\"document.title='owned'\">"
      "<!--<script>\xe2\x80\xa8{{script}}\\u003c\xff'\"&lt;";
  Document document = sample_document();
  const std::string name = document.targets[3].name;
  document.run.label = attack;
  document.run.command_line = {attack};
  document.run.parameters = {{"image", attack}, {attack, attack}};
  document.context.cpu.model = attack;
  document.context.cpu.mitigations = {{attack, attack}};
  for (auto& sample : document.samples)
    if (sample.target == name) sample.target = attack;
  document.targets[3] = {.name = attack,
                         .kind = attack,
                         .description = attack,
                         .version = attack,
                         .argv = {attack},
                         .accelerator = attack,
                         .setup = {{.step = attack, .duration_ns = 1}}};
  document.targets.back().reason = attack;
  document.samples[5].metrics["<b>_ns"] = 1;
  document.breakdowns[0].target = attack;
  document.breakdowns[0].processes[0].command = attack;
  document.breakdowns[0].events[0].detail = attack;
  document.breakdowns[0].costs[0].name = attack;
  document.skipped = {{attack, attack}};
  const std::vector<Document> documents{document, document};
  const Page page = open(documents, {.title = attack});
  EXPECT_EQ(page.console, "");
  EXPECT_THAT(page.dom, HasSubstr("<title>&lt;/script&gt;&lt;script&gt;document.title='owned'"));
  EXPECT_THAT(page.dom, Not(HasSubstr("<img")));
  EXPECT_THAT(page.dom, Not(HasSubstr("<b>")));
  EXPECT_EQ(count(page.html, "<script"), 3U);
  EXPECT_EQ(count(page.html, "</script"), 3U);
}

// The page loads nothing, so nothing can be missing when it is read offline years later.
TEST_F(ReportTest, NamesNoOtherFile) {
  const Document document = sample_document();
  STRATA_ASSERT_OK(const std::string html, render_report({&document, 1}, {}));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* reference : {" src=", "<link", "@import", "url(h", "url(/", "fetch("}) {
    std::string ours = html;
    const auto library = ours.find(chart_library());
    if (library != std::string::npos) ours.erase(library, chart_library().size());
    EXPECT_THAT(ours, Not(HasSubstr(reference)));
  }
}

TEST_F(ReportTest, DrawsWhatGaveNoFigures) {
  NEEDS_BROWSER();
  Document document = sample_document();
  for (auto& sample : document.samples) sample.ok = false;
  EXPECT_THAT(open({&document, 1}).console, "");
  document = Document();
  const Page page = open({&document, 1});
  EXPECT_EQ(page.console, "");
  EXPECT_THAT(page.dom, HasSubstr("No trial gave a figure."));
}

TEST_F(ReportTest, DrawsGoogleBenchmarks) {
  NEEDS_BROWSER();
  STRATA_ASSERT_OK(const Document document, from_json(R"({"context": {"executable": "bench"},
    "benchmarks": [
      {"name": "BM_A/1", "repetition_index": 0, "iterations": 10, "real_time": 5.5, "cpu_time": 5},
      {"name": "BM_B/a_very_long_name_that_will_not_fit/into_any_margin_of_a_plot/1024",
       "repetition_index": 0, "iterations": 10, "real_time": 0, "cpu_time": 0, "time_unit": "us"}
    ]})",
                                                      "gb.json"));
  const Page page = open({&document, 1});
  EXPECT_EQ(page.console, "");
  EXPECT_THAT(page.dom, HasSubstr("5.50 ns"));
}

}  // namespace
}  // namespace strata::bench
