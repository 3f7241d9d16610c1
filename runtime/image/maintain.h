// Looking after the store: names, removal, pruning, checking.
//
// Each holds the store's lock as it needs; none may be called while the caller holds it. What is
// removed leaves its place in one step under the exclusive lock and is deleted afterwards, so that
// nobody waits for a big layer to go and a kill in between leaves only refuse in tmp/.
//
// Thread rule: functions are independent; several processes may work on one store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/ingest.h"
#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::image {

// Gives the image that `source` names another name; an image that had it loses it. Returns the
// full name.
[[nodiscard]] Result<std::string> tag_image(const Store& store, std::string_view source,
                                            const std::string& name);

struct Removal {
  std::vector<std::string> untagged;  // names
  std::vector<std::string> removed;   // image IDs
  uint64_t bytes = 0;                 // of blobs and layers that nothing else reached
};

// By name: takes the name away, and with an image's last name the image with all that nothing else
// reaches. By ID: the image and its name. EBUSY if a container is made from the image, or if an ID
// stands for several names. `force`: all of the names go, and an image that a container needs
// stays without one.
[[nodiscard]] Result<Removal> remove_image(const Store& store, const std::string& reference,
                                           bool force);

struct PruneReport {
  std::vector<std::string> images;  // IDs of images without name and container
  size_t blobs = 0;                 // that nothing reached; those of `images` included
  size_t layers = 0;
  size_t leftovers = 0;  // of work that was cut off
  uint64_t bytes = 0;
};

// Removes what nobody can be using: images without a name that no container is made from, blobs
// and layers that no image reaches, and what killed programs left behind. EBADMSG if the store is
// too damaged to tell.
[[nodiscard]] Result<PruneReport> prune_images(const Store& store);

struct Finding {
  std::string kind;    // "damaged-blob", "missing-layer", …: the table in STORE.md
  std::string object;  // what it is about: a path or a digest
  std::string detail;
  bool repaired = false;
};

// Checks the whole store, digests of all blobs included; trees of layers for missing files and for
// types and sizes, not for their contents. With `repair`, layers that are missing or incomplete are
// unpacked again from their blobs, an index that can't be read is made anew (without names), and
// what nothing reaches is removed; where an image can't be read nothing is removed, since nobody
// knows what it would reach. Containers are started only after a repair, but beside a check.
[[nodiscard]] Result<std::vector<Finding>> check_store(const Store& store, bool repair,
                                                       const Report& report = {});

}  // namespace strata::image
