#include "runtime/vm/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>

#include "unionfs/base/file.h"

namespace strata::vm {
namespace {

constexpr size_t kMaxConfig = (size_t{1} << 20) - 1;
constexpr size_t kMaxWords = 4096;

Result<void> append_field(std::string& config, const std::string& field) {
  if (field.find('\0') != std::string::npos) return fail(EINVAL, "an argument holds a NUL byte");
  config.append(field).push_back('\0');
  return {};
}

Result<void> append_words(std::string& config, const std::vector<std::string>& words) {
  if (words.size() > kMaxWords) return fail(E2BIG, "too many arguments for the guest");
  STRATA_CHECK(append_field(config, std::to_string(words.size())));
  for (const auto& word : words) STRATA_CHECK(append_field(config, word));
  return {};
}

class CpioWriter {
 public:
  static Result<CpioWriter> open(int fd) {
    CpioWriter writer;
    archive_write_set_format_cpio_newc(writer.archive_.get());
    archive_write_add_filter_none(writer.archive_.get());
    if (archive_write_open_fd(writer.archive_.get(), fd) != ARCHIVE_OK) return writer.error();
    return writer;
  }

  Result<void> add_directory(const std::string& name) { return add(name, AE_IFDIR, 0755, {}); }
  Result<void> add_file(const std::string& name, mode_t mode, std::string_view content) {
    return add(name, AE_IFREG, mode, content);
  }
  // The kernel opens it for init's standard streams before init runs.
  Result<void> add_console() {
    archive_entry_set_rdev(entry_.get(), makedev_console());
    return add("dev/console", AE_IFCHR, 0600, {});
  }

  Result<void> close() {
    if (archive_write_close(archive_.get()) != ARCHIVE_OK) return error();
    return {};
  }

 private:
  struct FreeArchive {
    void operator()(archive* a) const { archive_write_free(a); }
  };
  struct FreeEntry {
    void operator()(archive_entry* e) const { archive_entry_free(e); }
  };

  static dev_t makedev_console() { return (dev_t{5} << 8) | 1; }

  std::unexpected<Error> error() const {
    const char* text = archive_error_string(archive_.get());
    return fail(EIO, "write initramfs: " + std::string(text != nullptr ? text : "unknown error"));
  }

  Result<void> add(const std::string& name, unsigned type, mode_t mode, std::string_view content) {
    archive_entry_set_pathname(entry_.get(), name.c_str());
    archive_entry_set_filetype(entry_.get(), type);
    archive_entry_set_perm(entry_.get(), mode);
    archive_entry_set_size(entry_.get(), static_cast<la_int64_t>(content.size()));
    const bool written = archive_write_header(archive_.get(), entry_.get()) == ARCHIVE_OK &&
                         archive_write_data(archive_.get(), content.data(), content.size()) ==
                             static_cast<la_ssize_t>(content.size());
    archive_entry_clear(entry_.get());
    if (!written) return error();
    return {};
  }

  std::unique_ptr<archive, FreeArchive> archive_{archive_write_new()};
  std::unique_ptr<archive_entry, FreeEntry> entry_{archive_entry_new()};
};

}  // namespace

Result<std::string> encode_command(const Command& command) {
  std::string config;
  STRATA_CHECK(append_field(config, command.working_dir));
  STRATA_CHECK(append_field(config, command.user));
  STRATA_CHECK(append_words(config, command.args));
  STRATA_CHECK(append_words(config, command.env));
  if (config.size() > kMaxConfig) return fail(E2BIG, "arguments and environment exceed 1 MiB");
  return config;
}

std::vector<std::string> modules_for(Machine machine, const std::filesystem::path& modules) {
  std::vector<std::string> wanted{"virtio_ring", "virtio"};
  if (machine == Machine::kMicrovm) {
    wanted.emplace_back("virtio_mmio");
  } else {
    wanted.insert(wanted.end(), {"virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci"});
  }
  wanted.insert(wanted.end(), {"virtio_console", "virtio_blk", "crc32c_generic", "libcrc32c",
                               "erofs", "overlay"});
  std::vector<std::string> there;
  for (const auto& name : wanted)
    if (std::filesystem::exists(modules / (name + ".ko"))) there.push_back(name + ".ko");
  return there;
}

Result<UniqueFd> make_initramfs(const Request& request, const std::filesystem::path& init) {
  UniqueFd fd(::memfd_create("initramfs", 0));  // inherited by QEMU
  if (!fd) return fail_errno("create an anonymous file");
  STRATA_TRY(CpioWriter cpio, CpioWriter::open(fd.get()));
  STRATA_CHECK(cpio.add_directory("dev"));
  STRATA_CHECK(cpio.add_console());
  STRATA_TRY(const std::string program, read_file(init));
  STRATA_CHECK(cpio.add_file("init", 0755, program));
  STRATA_TRY(const std::string config, encode_command(request.command));
  STRATA_CHECK(cpio.add_file("config", 0644, config));
  STRATA_CHECK(cpio.add_directory("modules"));
  int number = 10;  // two digits: the guest loads them in alphabetical order
  for (const auto& name : modules_for(request.machine, request.kernel.modules)) {
    STRATA_TRY(const std::string module, read_file(request.kernel.modules / name));
    STRATA_CHECK(cpio.add_file("modules/" + std::to_string(number++) + "-" + name, 0644, module));
  }
  STRATA_CHECK(cpio.close());
  return fd;
}

}  // namespace strata::vm
