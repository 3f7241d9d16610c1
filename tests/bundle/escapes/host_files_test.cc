// Escapes by way of what the host does with an image's or a container's files.

#include <fstream>

#include "tests/bundle/escapes/escape_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class HostFileEscapesTest : public EscapeTest {};

// `docker cp` looked a path up in the container's root and then used it: in between the container
// made it a link to the host's files.
// Here there is no such command; what reads a container's tree while its processes may change it is
// the tmpfs that starts with a copy, and that is read by a descriptor that was resolved inside the
// root (openat2, RESOLVE_IN_ROOT).
TEST_F(HostFileEscapesTest, Cve_2018_15664) {
  temp_.write("bundle/rootfs/srv/data/file", "of the image");
  fs::create_directory_symlink(host_, rootfs_ / "srv/link");
  temp_.write("bundle/rootfs/srv/deep/below/file", "of the image");
  fs::create_directory_symlink(host_, rootfs_ / "srv/deep/link");
  write_shell("cat /srv/data/* /srv/deep/below/*; exit 0", [](Json& config) {
    for (const char* at : {"/srv/data", "/srv/deep"})
      config["mounts"].push_back({{"destination", at},
                                  {"type", "tmpfs"},
                                  {"source", "tmpfs"},
                                  {"options", {"tmpcopyup", "size=1m"}}});
  });
  const Swapper outer(rootfs_ / "srv/data", rootfs_ / "srv/link");
  const Swapper inner(rootfs_ / "srv/deep/below", rootfs_ / "srv/deep/link");
  int read = 0;
  for (int i = 0; i < 80; ++i) {
    const auto done = oci({"run", "c1"});
    EXPECT_THAT(done.out, Not(HasSubstr(kSecret)));
    if (done.out.find("of the image") != std::string::npos) ++read;
  }
  EXPECT_GT(read, 0);
}

// The tar helper of `docker cp` ran in the container's root, and there the C library loaded the
// image's libnss_*.so: code of the image ran with all the host's rights.
// Here no program loads a library while it works on a container: names of users are read from the
// image's files by a parser of our own, and the programs are static.
TEST_F(HostFileEscapesTest, Cve_2019_14271) {
  STRATA_NEEDS_PROGRAM("cc");
  // Whatever name a library is looked for by, this one tells that it was loaded.
  temp_.write("evil.c",
              "#include <fcntl.h>\n#include <unistd.h>\n"
              "__attribute__((constructor)) static void loaded(void) {\n"
              "  int fd = open(HOST \"/loaded\", O_CREAT | O_WRONLY, 0600);\n"
              "  if (fd < 0) fd = open(\"/loaded\", O_CREAT | O_WRONLY, 0600);\n"
              "  if (fd >= 0) close(fd); }\n");
  const fs::path evil = temp_ / "evil.so";
  ASSERT_EQ(testing::run({"cc", "-DHOST=\"" + temp_.path().string() + "\"", "-shared", "-fPIC",
                          "-o", evil, temp_ / "evil.c"})
                .status,
            0);
  for (const char* directory :
       {"lib", "lib64", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"})
    for (const char* name : {"libnss_files.so.2", "libnss_compat.so.2", "libnss_evil.so.2",
                             "libc.so.6", "libseccomp.so.2", "ld-linux-x86-64.so.2"}) {
      fs::create_directories(rootfs_ / directory);
      fs::copy_file(evil, rootfs_ / directory / name);
    }
  temp_.write("bundle/rootfs/etc/nsswitch.conf", "passwd: evil files\ngroup: evil files\n");
  temp_.write("bundle/rootfs/etc/passwd", "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n");
  temp_.write("bundle/rootfs/etc/group", "root:x:0:\nuser:x:1000:\n");
  temp_.write("bundle/rootfs/etc/ld.so.preload", "/lib/libnss_evil.so.2\n");

  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  ok({"exec", "--user", "1000:1000", "c1", "/bin/true"});
  ok({"delete", "--force", "c1"});
  EXPECT_FALSE(fs::exists(rootfs_ / "loaded"));

  const auto strata = [&](std::vector<std::string> arguments, int status = 0) {
    arguments.insert(arguments.begin(),
                     {testing::own_program("strata"), "--root", (temp_ / "store").string()});
    const auto done = testing::run(arguments);
    EXPECT_EQ(done.status, status) << done.err;
    return done.out;
  };
  ASSERT_EQ(testing::run({"tar", "-C", rootfs_, "-cf", temp_ / "evil.tar", "."}).status, 0);
  strata({"import", (temp_ / "evil.tar").string(), "evil"});
  EXPECT_EQ(strata({"run", "--name", "e1", "-u", "user", "evil", "/bin/id", "-u"}), "1000\n");
  strata({"commit", "e1", "evil:again"});
  EXPECT_THAT(strata({"run", "--rm", "evil:again", "/bin/ls", "/"}), Not(HasSubstr("loaded")));
  strata({"rm", "-f", "e1"});
  EXPECT_FALSE(fs::exists(temp_ / "loaded"));
  // The library is what it is said to be.
  (void)testing::run({"env", "LD_PRELOAD=" + evil.string(), "true"});
  EXPECT_TRUE(fs::exists(temp_ / "loaded"));
}

}  // namespace
}  // namespace strata::bundle
