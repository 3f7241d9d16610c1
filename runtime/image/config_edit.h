// New image configurations (image-spec, config.md) made from old ones: text to text, so that
// members which this program does not know survive.
//
// Private to runtime/image. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/config_change.h"
#include "runtime/image/image.h"
#include "unionfs/base/result.h"

namespace strata::image {

struct ConfigEdit {
  std::string created;  // RFC 3339
  std::string author;   // kept from the base if empty
  std::string created_by;
  std::string comment;
  std::string diff_id;  // the new topmost layer
  std::vector<ConfigChange> changes;
};

// Puts a layer on top of `base`, or makes the first layer of an image for this machine.
[[nodiscard]] Result<std::string> edit_config(const std::optional<std::string>& base,
                                              const ConfigEdit& edit);

// Parses what a person gave with --change.
[[nodiscard]] Result<std::vector<ConfigChange>> parse_changes(
    const std::vector<std::string>& texts);

// Now, or $SOURCE_DATE_EPOCH (reproducible-builds.org) where that is set.
[[nodiscard]] std::string creation_time();

// This machine's architecture as image-spec names it ("amd64", "arm64").
[[nodiscard]] std::string host_architecture();

}  // namespace strata::image
