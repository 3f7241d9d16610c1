#include "tests/vm/module_files.h"

#include <elf.h>

#include <cstring>

namespace strata::testing {
namespace {

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

std::string module_file(const std::vector<std::string>& modinfo) {
  std::string info;
  for (const auto& entry : modinfo) info.append(entry).push_back('\0');
  using std::string_literals::operator""s;
  const std::string names = "\0.modinfo\0.shstrtab\0"s;

  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  header.e_shoff = sizeof header + info.size() + names.size();
  Elf64_Shdr info_section{};
  info_section.sh_name = 1;
  info_section.sh_offset = sizeof header;
  info_section.sh_size = info.size();
  Elf64_Shdr names_section{};
  names_section.sh_name = 10;
  names_section.sh_offset = sizeof header + info.size();
  names_section.sh_size = names.size();

  std::string bytes;
  append(bytes, header);
  bytes += info + names;
  append(bytes, Elf64_Shdr{});
  append(bytes, info_section);
  append(bytes, names_section);
  return bytes;
}

std::string signed_module_file(const std::vector<std::string>& modinfo) {
  using std::string_literals::operator""s;
  const std::string signature(300, 's');
  // struct module_signature: six bytes of kinds and lengths, three of padding, the length
  const std::string trailer = "\0\0\2\0\0\0\0\0\0\0\1\x2c"s;
  return module_file(modinfo) + signature + trailer + "~Module signature appended~\n";
}

}  // namespace strata::testing
