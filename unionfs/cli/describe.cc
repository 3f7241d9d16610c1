#include "unionfs/cli/describe.h"

#include <sys/sysmacros.h>

#include <ctime>

#include <fmt/format.h>

#include "unionfs/files/type_name.h"

namespace strata::unionfs::cli {

std::string mode_text(mode_t mode) {
  std::string text = "?rwxrwxrwx";
  constexpr std::pair<mode_t, char> kTypes[] = {{S_IFDIR, 'd'}, {S_IFREG, '-'}, {S_IFLNK, 'l'},
                                                {S_IFCHR, 'c'}, {S_IFBLK, 'b'}, {S_IFIFO, 'p'},
                                                {S_IFSOCK, 's'}};
  for (const auto& [type, letter] : kTypes)
    if ((mode & S_IFMT) == type) text[0] = letter;
  for (unsigned bit = 0; bit < 9; ++bit)
    if ((mode >> (8 - bit) & 1) == 0) text[bit + 1] = '-';
  constexpr std::pair<mode_t, size_t> kSpecial[] = {{S_ISUID, 3}, {S_ISGID, 6}, {S_ISVTX, 9}};
  for (const auto& [bit, at] : kSpecial) {
    if ((mode & bit) == 0) continue;
    const char letter = bit == S_ISVTX ? 't' : 's';
    text[at] = text[at] == 'x' ? letter : static_cast<char>(letter - 'a' + 'A');
  }
  return text;
}

std::string time_text(const timespec& time) {
  std::tm parts{};
  ::gmtime_r(&time.tv_sec, &parts);
  char text[64];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return fmt::format("{}.{:09}Z", std::string_view(text, length), time.tv_nsec);
}

Result<OrderedJson> describe(const Union& merged, const std::string& path) {
  STRATA_TRY(const struct stat st, merged.stat(path));
  OrderedJson json = {{"path", path},
                      {"type", type_name(st.st_mode)},
                      {"mode", fmt::format("{:04o}", st.st_mode & 07777)},
                      {"uid", st.st_uid},
                      {"gid", st.st_gid},
                      {"size", st.st_size},
                      {"links", st.st_nlink},
                      {"inode", st.st_ino},
                      {"mtime", time_text(st.st_mtim)}};
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
    json["device"] = fmt::format("{}:{}", major(st.st_rdev), minor(st.st_rdev));
  if (S_ISLNK(st.st_mode)) {
    STRATA_TRY(json["target"], merged.read_link(path));
  }
  STRATA_TRY(const std::vector<std::string> names, merged.list_xattrs(path));
  if (!names.empty()) json["xattrs"] = names;
  return json;
}

Result<std::string> long_line(const Union& merged, const std::string& path,
                              const std::string& shown_as) {
  STRATA_TRY(const struct stat st, merged.stat(path));
  std::string line =
      fmt::format("{} {:>3} {:>5} {:>5} {:>10} {} {}", mode_text(st.st_mode), st.st_nlink,
                  st.st_uid, st.st_gid, st.st_size, time_text(st.st_mtim), shown_as);
  if (S_ISLNK(st.st_mode)) {
    STRATA_TRY(const std::string target, merged.read_link(path));
    line += " -> " + target;
  }
  return line;
}

}  // namespace strata::unionfs::cli
