#include "runtime/image/config_change.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "unionfs/base/json.h"

namespace strata::image {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

constexpr std::array kInstructions{
    std::pair{std::string_view("CMD"), Instruction::kCmd},
    std::pair{std::string_view("ENTRYPOINT"), Instruction::kEntrypoint},
    std::pair{std::string_view("ENV"), Instruction::kEnv},
    std::pair{std::string_view("WORKDIR"), Instruction::kWorkdir},
    std::pair{std::string_view("USER"), Instruction::kUser},
    std::pair{std::string_view("EXPOSE"), Instruction::kExpose},
    std::pair{std::string_view("VOLUME"), Instruction::kVolume},
    std::pair{std::string_view("LABEL"), Instruction::kLabel},
    std::pair{std::string_view("STOPSIGNAL"), Instruction::kStopSignal},
};

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::optional<Instruction> instruction_of(std::string_view word) {
  std::string upper(word);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto* const it = std::find_if(kInstructions.begin(), kInstructions.end(),
                                      [&](const auto& known) { return known.first == upper; });
  return it != kInstructions.end() ? std::optional(it->second) : std::nullopt;
}

// Words as a Dockerfile divides them: quotes group and go, a backslash takes the next character
// as it is (in double quotes only before '"', '\' and '$').
Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && kSpaces.find(c) != std::string_view::npos) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    in_word = true;
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size() &&
               (quote == 0 ||
                std::string_view("\"\\$").find(text[i + 1]) != std::string_view::npos)) {
      word += text[++i];
    } else {
      word += c;
    }
  }
  if (quote != 0) return fail(EINVAL, "a quote is not closed");
  if (in_word) words.push_back(std::move(word));
  return words;
}

// A JSON array of strings, or nothing if the text is none (then it is in shell form).
std::optional<std::vector<std::string>> json_words(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  const auto json = parse_json(text, "");
  if (!json || !json->is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const auto& item : *json) {
    if (!item.is_string()) return std::nullopt;
    words.push_back(item.get<std::string>());
  }
  return words;
}

Result<std::vector<std::string>> command_words(std::string_view text) {
  if (auto words = json_words(text)) return *std::move(words);
  return std::vector<std::string>{"/bin/sh", "-c", std::string(text)};
}

Result<std::vector<std::string>> list_words(std::string_view text) {
  if (auto words = json_words(text)) return *std::move(words);
  return split_words(text);
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

// "A=1 B=2", or the old form "A the rest is the value".
Result<Pairs> parse_pairs(std::string_view text) {
  const size_t name_end = text.find_first_of(" \t=");
  if (name_end != std::string_view::npos && text[name_end] != '=')
    return Pairs{{std::string(text.substr(0, name_end)), std::string(trim(text.substr(name_end)))}};
  STRATA_TRY(const auto words, split_words(text));
  Pairs pairs;
  for (const auto& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(EINVAL, "'" + word + "' is not NAME=VALUE");
    pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return pairs;
}

// A port with its protocol: "80" is "80/tcp".
Result<std::string> parse_port(const std::string& word) {
  const size_t slash = word.find('/');
  const std::string number = word.substr(0, slash);
  const std::string protocol = slash == std::string::npos ? "tcp" : word.substr(slash + 1);
  constexpr size_t kDigits = 5;
  constexpr int kMaxPort = 65535;
  const bool is_number =
      !number.empty() && number.size() <= kDigits &&
      std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c); });
  if (!is_number || std::stoi(number) < 1 || std::stoi(number) > kMaxPort ||
      (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
    return fail(EINVAL, "'" + word + "' is not PORT[/tcp|udp|sctp]");
  return number + "/" + protocol;
}

Result<void> fill(ConfigChange& change, std::string_view rest) {
  switch (change.instruction) {
    case Instruction::kCmd:
    case Instruction::kEntrypoint: {
      STRATA_TRY(change.words, command_words(rest));
      return {};
    }
    case Instruction::kEnv:
    case Instruction::kLabel: {
      STRATA_TRY(change.pairs, parse_pairs(rest));
      return {};
    }
    case Instruction::kExpose: {
      STRATA_TRY(const auto ports, split_words(rest));
      for (const auto& word : ports) {
        STRATA_TRY(std::string port, parse_port(word));
        change.words.push_back(std::move(port));
      }
      return {};
    }
    case Instruction::kVolume: {
      STRATA_TRY(change.words, list_words(rest));
      for (const auto& volume : change.words)
        if (!volume.starts_with('/'))
          return fail(EINVAL, "'" + volume + "' is not an absolute path");
      return {};
    }
    case Instruction::kWorkdir:
    case Instruction::kUser:
    case Instruction::kStopSignal: {
      STRATA_TRY(change.words, split_words(rest));
      if (change.words.size() != 1) return fail(EINVAL, "it takes one value");
      return {};
    }
  }
  return {};
}

}  // namespace

Result<ConfigChange> parse_change(std::string_view text) {
  const std::string_view whole = trim(text);
  const size_t space = whole.find_first_of(kSpaces);
  const auto instruction = instruction_of(whole.substr(0, space));
  const std::string place = "change '" + std::string(whole) + "'";
  if (!instruction) {
    std::string known;
    for (const auto& [word, value] : kInstructions) known += " " + std::string(word);
    return fail(EINVAL, place + ": unknown instruction (known:" + known + ")");
  }
  if (space == std::string_view::npos) return fail(EINVAL, place + ": it lacks a value");
  ConfigChange change{.instruction = *instruction};
  const auto filled = fill(change, trim(whole.substr(space)));
  if (!filled) return fail_in(place, filled.error());
  return change;
}

}  // namespace strata::image
