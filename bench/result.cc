#include "bench/result.h"

#include <algorithm>
#include <cctype>

#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

// A file name's part: letters, digits, '.', '_' and '-'; never empty, hidden or "..".
std::string file_name_part(std::string_view text) {
  std::string part(text);
  for (char& c : part) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 128 || (std::isalnum(byte) == 0 && c != '.' && c != '_')) c = '-';
  }
  const auto start = part.find_first_not_of("-.");
  return start == std::string::npos ? std::string() : part.substr(start);
}

// "2025-01-31T12:00:00Z" to "20250131T120000Z".
std::string compact_utc(std::string_view utc) {
  std::string compact;
  std::copy_if(utc.begin(), utc.end(), std::back_inserter(compact),
               [](unsigned char c) { return std::isalnum(c) != 0; });
  return compact;
}

}  // namespace

const Target* find_target(const Document& document, std::string_view name) {
  const auto found = std::find_if(document.targets.begin(), document.targets.end(),
                                  [&](const Target& target) { return target.name == name; });
  return found == document.targets.end() ? nullptr : &*found;
}

std::filesystem::path document_path(const Run& run) {
  const std::string suite = file_name_part(run.suite);
  const std::string label = file_name_part(run.label);
  return std::filesystem::path(suite.empty() ? "run" : suite) /
         (compact_utc(run.start_utc) + (label.empty() ? "" : "-" + label) + ".json");
}

Result<Document> read_document(const std::filesystem::path& path) {
  constexpr size_t kLimit = size_t{1} << 30;
  STRATA_TRY(const std::string text, read_file(path, kLimit));
  return from_json(text, path.string());
}

Result<Document> read_measurements(const std::filesystem::path& path) {
  STRATA_TRY(Document document, read_document(path));
  if (document.samples.empty())
    return fail(EINVAL, path.string() + ": samples: there are none, so there is nothing to show");
  return document;
}

Result<void> write_document(const Document& document, const std::filesystem::path& path) {
  if (path.has_parent_path()) STRATA_CHECK(make_dirs(path.parent_path()));
  return write_file_atomic(path, to_json(document), Durability::kAtomic);
}

}  // namespace strata::bench
