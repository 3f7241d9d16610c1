#include "runtime/image/image_json.h"

#include "unionfs/base/json.h"

namespace strata::image {
namespace {

OrderedJson config_to_json(const Config& config) {
  return {{"user", config.user},
          {"env", config.env},
          {"entrypoint", config.entrypoint},
          {"cmd", config.cmd},
          {"working_dir", config.working_dir},
          {"stop_signal", config.stop_signal},
          {"exposed_ports", config.exposed_ports},
          {"volumes", config.volumes},
          {"labels", OrderedJson(config.labels)}};
}

OrderedJson descriptor_to_json(const Descriptor& descriptor) {
  return {{"digest", descriptor.digest},
          {"media_type", descriptor.media_type},
          {"size", descriptor.size}};
}

}  // namespace

Result<std::string> image_to_json(const Image& image) {
  OrderedJson layers = OrderedJson::array();
  for (const auto& layer : image.layers) {
    OrderedJson json = descriptor_to_json(layer.blob);
    json["diff_id"] = layer.diff_id;
    json["tree"] = layer.tree.string();
    layers.push_back(std::move(json));
  }
  const OrderedJson json{{"kind", "image"},
                         {"id", image.id},
                         {"names", image.names},
                         {"created", image.config.created},
                         {"architecture", image.config.architecture},
                         {"os", image.config.os},
                         {"author", image.config.author},
                         {"size", image.size},
                         {"config", config_to_json(image.config)},
                         {"manifest", descriptor_to_json(image.manifest)},
                         {"layers", layers}};
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace strata::image
