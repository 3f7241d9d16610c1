#include "runtime/vm/module.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "runtime/vm/archive.h"
#include "unionfs/base/file.h"

namespace strata::vm {
namespace {

// scripts/sign-file.c: <signature> <struct module_signature> <magic>; the struct ends with the
// signature's length, big-endian.
constexpr std::string_view kSignatureMagic = "~Module signature appended~\n";
constexpr size_t kSignatureStruct = 12;

template <class T>
std::optional<T> read_at(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::optional<std::string_view> slice(std::string_view bytes, uint64_t offset, uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.substr(offset, size);
}

std::optional<std::string_view> find_section(std::string_view elf, std::string_view wanted) {
  const auto header = read_at<Elf64_Ehdr>(elf, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64)
    return std::nullopt;
  const auto section = [&](size_t i) {
    return read_at<Elf64_Shdr>(elf, header->e_shoff + i * sizeof(Elf64_Shdr));
  };
  const auto names_header = section(header->e_shstrndx);
  if (!names_header) return std::nullopt;
  const auto names = slice(elf, names_header->sh_offset, names_header->sh_size);
  if (!names) return std::nullopt;
  for (size_t i = 0; i < header->e_shnum; ++i) {
    const auto candidate = section(i);
    if (!candidate || candidate->sh_name >= names->size()) return std::nullopt;
    const std::string_view rest = names->substr(candidate->sh_name);
    if (rest.substr(0, rest.find('\0')) == wanted)
      return slice(elf, candidate->sh_offset, candidate->sh_size);
  }
  return std::nullopt;
}

void strip_signature(std::string& content) {
  if (!content.ends_with(kSignatureMagic)) return;
  const size_t end = content.size() - kSignatureMagic.size();
  if (end < kSignatureStruct) return;
  size_t length = 0;
  for (size_t i = end - sizeof(uint32_t); i < end; ++i)
    length = length << 8 | static_cast<unsigned char>(content[i]);
  if (length <= end - kSignatureStruct) content.resize(end - kSignatureStruct - length);
}

}  // namespace

std::string module_name(const std::filesystem::path& path) {
  std::string name = path.filename();
  const size_t suffix = name.rfind(".ko");
  if (suffix == std::string::npos) return {};
  const std::string_view rest = std::string_view(name).substr(suffix);
  if (rest != ".ko" && rest != ".ko.xz" && rest != ".ko.zst" && rest != ".ko.gz") return {};
  name.resize(suffix);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Result<std::vector<std::string>> module_info(std::string_view elf, std::string_view key,
                                             std::string_view name) {
  auto info = find_section(elf, ".modinfo");
  if (!info) return fail(EINVAL, std::string(name) + " is not a kernel module");
  std::vector<std::string> values;
  while (!info->empty()) {
    const std::string_view entry = info->substr(0, info->find('\0'));
    if (entry.starts_with(key) && entry.size() > key.size() && entry[key.size()] == '=')
      values.emplace_back(entry.substr(key.size() + 1));
    info->remove_prefix(std::min(entry.size() + 1, info->size()));
  }
  return values;
}

Result<Module> read_module(const std::filesystem::path& path) {
  Module module{.name = module_name(path)};
  STRATA_TRY(module.content, path.extension() == ".ko" ? read_file(path) : read_compressed(path));
  STRATA_TRY(const auto depends, module_info(module.content, "depends", path.string()));
  for (std::string_view list : depends) {
    while (!list.empty()) {
      const std::string_view one = list.substr(0, list.find(','));
      if (!one.empty()) module.depends.push_back(module_name(std::string(one) + ".ko"));
      list.remove_prefix(std::min(one.size() + 1, list.size()));
    }
  }
  strip_signature(module.content);
  return module;
}

}  // namespace strata::vm
