#include "unionfs/explain.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>
#include <utility>

#include "unionfs/files/tree_path.h"
#include "unionfs/files/type_name.h"
#include "unionfs/layer_entry.h"
#include "unionfs/sys/openat2.h"

namespace strata::unionfs {
namespace {

std::string describe(const LayerEntry& entry) {
  std::string text = type_name(entry.status.st_mode);
  if (S_ISLNK(entry.status.st_mode)) text += " to " + entry.target;
  if (entry.is_opaque) text += ", opaque";
  if (entry.redirect) text += ", redirected to " + *entry.redirect;
  if (entry.is_metacopy) text += ", attributes only";
  return text;
}

// What one layer has on the way to a path, and at its end.
struct Found {
  std::optional<LayerEntry> entry;     // at the end
  std::optional<std::string> blocked;  // the path of a component that ends the search below
  bool is_whiteout = false;            // that component is a whiteout, not a file
};

Result<Found> look(int layer, std::string_view path, const OverlayXattrs& names) {
  Found found;
  std::string directory;
  bool xattr_whiteouts = false;
  STRATA_TRY(LayerEntry entry, read_layer_root(layer, names));
  for (std::string_view rest = path; !rest.empty();) {
    if (!S_ISDIR(entry.status.st_mode)) {
      found.blocked = directory;
      return found;
    }
    if (entry.is_opaque && !directory.empty()) found.blocked = directory;
    xattr_whiteouts = entry.holds_xattr_whiteouts;
    const std::string name(take_component(rest));
    const UniqueFd fd =
        sys::open_beneath(layer, directory.empty() ? "." : directory.c_str(), O_PATH | O_DIRECTORY);
    if (!fd) return fail_errno("open " + directory);
    auto next = read_layer_entry(fd.get(), name, xattr_whiteouts, names);
    if (!next && next.error().code == ENOENT) return found;
    if (!next) return std::unexpected(std::move(next).error());
    directory = join_path(directory, name);
    if (next->is_whiteout) {
      found.blocked = directory;
      found.is_whiteout = true;
      return found;
    }
    entry = *std::move(next);
  }
  found.entry = std::move(entry);
  return found;
}

}  // namespace

std::string_view to_text(LayerSays says) {
  switch (says) {
    case LayerSays::kAnswers:
      return "answers";
    case LayerSays::kMerged:
      return "merged";
    case LayerSays::kShadowed:
      return "shadowed";
    case LayerSays::kWhiteout:
      return "whiteout";
    case LayerSays::kAbsent:
      return "-";
  }
  return "-";
}

Result<std::vector<LayerAnswer>> explain(const LayerStack& stack, std::string_view path,
                                         const OverlayXattrs& names) {
  std::string plain;  // without the slashes that mean nothing
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view name = take_component(rest);
    if (name.empty() || name == ".") continue;
    if (name == "..") return fail(EINVAL, "'..' in a path to explain");
    plain = join_path(plain, name);
  }

  std::vector<LayerAnswer> answers;
  std::string hidden_by;  // why nothing below shows
  bool merges = false;    // the answer is a directory that goes on
  for (size_t i = 0; i < stack.size(); ++i) {
    auto found = look(stack.fd(i), plain, names);
    if (!found) return fail_in("layer " + stack.path(i).string(), std::move(found).error());
    LayerAnswer answer{.layer = i};
    const std::string above = " (of layer " + std::to_string(i) + ")";
    if (found->entry) {
      answer.detail = describe(*found->entry);
      const bool is_directory = S_ISDIR(found->entry->status.st_mode);
      if (!hidden_by.empty()) {
        answer.says = LayerSays::kShadowed;
        answer.detail += ", hidden by " + hidden_by;
      } else if (merges && is_directory) {
        answer.says = LayerSays::kMerged;
      } else if (merges) {
        answer.says = LayerSays::kShadowed;
        answer.detail += ", hidden by the directory above it";
        hidden_by = "it" + above;
      } else {
        answer.says = LayerSays::kAnswers;
      }
      if (hidden_by.empty()) {
        merges = is_directory;
        if (!is_directory)
          hidden_by = std::string("the ") + type_name(found->entry->status.st_mode) + above;
        if (found->entry->is_opaque) hidden_by = "the opaque directory" + above;
      }
    } else if (found->is_whiteout) {
      answer.says = LayerSays::kWhiteout;
      answer.detail = *found->blocked == plain ? "" : "of " + *found->blocked;
      if (hidden_by.empty()) hidden_by = "the whiteout of " + *found->blocked + above;
    }
    if (found->blocked && hidden_by.empty()) hidden_by = *found->blocked + above;
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace strata::unionfs
