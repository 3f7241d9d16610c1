// Every member of the specification has a configuration whose effect is seen from inside, and is
// the same as under runc and crun.

#include <memory>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/oci/spec_fields.h"
#include "tests/bundle/compare/picture.h"
#include "tests/support/environment.h"

namespace strata::bundle {
namespace {

// The paths of all members that the reader of config.json knows: a description of the members'
// fields (spec_fields.h) goes through it as through a reader.
class Members {
 public:
  explicit Members(std::set<std::string>& found, std::string path = "")
      : found_(found), path_(std::move(path)) {}

  template <class T>
  void field(const char* name, T&) {
    found_.insert(path_ + "/" + name);
  }
  void flag(const char* name, bool) { found_.insert(path_ + "/" + name); }
  template <class T>
  void required(const char* name, T& value) {
    field(name, value);
  }
  void refused(const char* name, const char*) { found_.insert(path_ + "/" + name); }
  template <class Body>
  void object(const char* name, const Body& body) {
    Members below(found_, path_ + "/" + name);
    body(below);
  }
  template <class T>
  void optional(const char* name, std::optional<T>&) {
    describe<T>(path_ + "/" + name);
  }
  template <class T>
  void list(const char* name, std::vector<T>&) {
    describe<T>(path_ + "/" + name + "[]");
  }
  template <class T>
  void map(const char* name, std::map<std::string, T>&) {
    describe<T>(path_ + "/" + name + "{}");
  }

 private:
  template <class T>
  void describe(const std::string& path) {
    T value;
    Members below(found_, path);
    fields(below, value);
  }
  std::set<std::string>& found_;
  std::string path_;
};

std::set<std::string> known_members() {
  std::set<std::string> found;
  oci::Spec spec;
  Members members(found);
  fields(members, spec);
  return found;
}

// The same form for what a configuration has.
void collect(const Json& json, const std::string& path, const std::set<std::string>& known,
             std::set<std::string>& found) {
  if (known.contains(path)) {
    found.insert(path);
    return;
  }
  if (json.is_array())
    for (const auto& element : json) collect(element, path + "[]", known, found);
  if (!json.is_object()) return;
  for (const auto& [name, value] : json.items()) {
    collect(value, path + "/" + name, known, found);
    collect(value, path + "{}", known, found);
  }
}

TEST(Compare, TouchesEveryMember) {
  const auto known = known_members();
  EXPECT_GT(known.size(), 120U);
  std::set<std::string> touched;
  for (const auto& variation : variations()) {
    Json config = base_config("/x");
    variation.change(config);
    collect(config, "", known, touched);
  }
  for (const auto& member : known) EXPECT_TRUE(touched.contains(member)) << member;
}

class CompareTest : public ::testing::TestWithParam<Variation> {
 protected:
  static Painter* painter() {
    static const auto kPainter =
        testing::enter_private_namespaces() ? std::make_unique<Painter>() : nullptr;
    return kPainter.get();
  }
};

[[maybe_unused]] void PrintTo(const Variation& variation, std::ostream* out) {
  *out << variation.name;
}

TEST_P(CompareTest, IsThatOfRuncAndCrun) {
  STRATA_NEEDS_ROOT();
  STRATA_NEEDS_PROGRAM("runc");
  STRATA_NEEDS_PROGRAM("crun");
  ASSERT_NE(painter(), nullptr);
  Json config = painter()->base();
  GetParam().change(config);
  const auto ours = painter()->paint(testing::own_program("strata-oci"), config);
  if (ours.error.find("this host has no cgroup controller") != std::string::npos)
    GTEST_SKIP() << ours.error;
  EXPECT_EQ(ours.ran, GetParam().refused.empty()) << ours.error;
  EXPECT_THAT(ours.error, ::testing::HasSubstr(GetParam().refused));
  std::string all;
  for (const auto& line : ours.lines) all += line + "\n";
  EXPECT_THAT(all, ::testing::HasSubstr(GetParam().sees));
  for (const auto& [bit, peer] : {std::pair(kRunc, "runc"), {kCrun, "crun"}})
    if ((GetParam().peers & bit) != 0) {
      EXPECT_THAT(differences(ours, painter()->paint(peer, config), peer), ::testing::IsEmpty());
    }
  EXPECT_EQ(painter()->leftovers(), "");
}

INSTANTIATE_TEST_SUITE_P(Variations, CompareTest, ::testing::ValuesIn(variations()),
                         [](const auto& variation) {
                           std::string name;
                           for (const char c : variation.param.name)
                             name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace strata::bundle
