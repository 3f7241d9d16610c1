#include "runtime/bundle/list.h"

#include <algorithm>
#include <array>

#include "unionfs/base/json.h"

namespace strata::bundle {

Result<std::vector<Listed>> list(const std::filesystem::path& root) {
  STRATA_TRY(const auto ids, container_ids(root));
  std::vector<Listed> containers;
  for (const auto& id : ids) {
    auto container = Container::load(root, id);
    if (!container && container.error().code == ENOENT) continue;
    if (!container) return fail_in("container " + id, std::move(container).error());
    const Status status = container->status();
    containers.push_back({std::move(container->record()), status});
  }
  return containers;
}

std::string list_table(const std::vector<Listed>& containers) {
  constexpr size_t kColumns = 6;
  using Row = std::array<std::string, kColumns>;
  std::vector<Row> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const auto& [record, status] : containers) {
    const bool lives = status != Status::kStopped;
    rows.push_back({record.id, std::to_string(lives ? record.init.pid : 0),
                    std::string(status_name(status)), record.bundle, record.created,
                    owner_name(record)});
  }
  std::array<size_t, kColumns> widths{};
  for (const auto& row : rows)
    for (size_t i = 0; i < kColumns; ++i)
      widths[i] = std::max({widths[i], row[i].size(), size_t{11}});
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i + 1 < kColumns; ++i)
      text += row[i] + std::string(widths[i] + 1 - row[i].size(), ' ');
    text += row[kColumns - 1] + "\n";
  }
  return text;
}

std::string list_json(const std::vector<Listed>& containers) {
  if (containers.empty()) return "null";
  std::string text = "[";
  for (const auto& [record, status] : containers)
    text += (text.size() > 1 ? "," : "") + state_json(record, status);
  return text + "]";
}

}  // namespace strata::bundle
