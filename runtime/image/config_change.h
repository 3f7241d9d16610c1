// Changes to an image's configuration in the words of a Dockerfile, as `import --change` and
// `commit --change` take them: CMD ENTRYPOINT ENV WORKDIR USER EXPOSE VOLUME LABEL STOPSIGNAL.
//
// Parsing only; config_edit.h applies them. Plain values, any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::image {

enum class Instruction {
  kCmd,
  kEntrypoint,
  kEnv,
  kWorkdir,
  kUser,
  kExpose,
  kVolume,
  kLabel,
  kStopSignal,
};

struct ConfigChange {
  Instruction instruction;
  std::vector<std::string> words;  // of CMD, ENTRYPOINT, EXPOSE, VOLUME; or the single value
  std::vector<std::pair<std::string, std::string>> pairs;  // of ENV, LABEL
};

// `CMD ["/bin/sh", "-c", "x"]`, `CMD x y` (run by /bin/sh -c), `ENV A=1 B="two words"`, `ENV A 1`,
// `LABEL k=v`, `EXPOSE 80 53/udp`, `VOLUME /a /b` or `VOLUME ["/a"]`, `WORKDIR /w`, `USER u:g`,
// `STOPSIGNAL SIGTERM`. The instruction's case does not matter. EINVAL says what is wrong.
[[nodiscard]] Result<ConfigChange> parse_change(std::string_view text);

}  // namespace strata::image
