// libarchive translates names between the archive's character set and the locale's. Names are
// bytes to us, so its calls run under a locale of our choice, whatever the program's is:
//
//   reading  "C": it can't translate anything but ASCII, says so in a warning and leaves the bytes
//            alone. (Under a UTF-8 locale it rewrites decomposed characters into composed ones.)
//   writing  "C.UTF-8": UTF-8 names go out as they are; other bytes can't be translated, so they go
//            out raw, marked hdrcharset=BINARY. (Under "C" all but ASCII would be so marked, and
//            GNU tar grumbles at the mark.)
//
// Thread rule: sets the calling thread's locale (uselocale(3)); construct and destroy on one
// thread.
#pragma once

#include <locale.h>

namespace strata::unionfs::tar {

class ArchiveLocale {
 public:
  explicit ArchiveLocale(const char* name)
      : locale_(::newlocale(LC_ALL_MASK, name, locale_t{})), previous_(::uselocale(locale_)) {}
  ArchiveLocale(const ArchiveLocale&) = delete;
  ArchiveLocale& operator=(const ArchiveLocale&) = delete;
  ~ArchiveLocale() {
    ::uselocale(previous_);
    if (locale_ != locale_t{}) ::freelocale(locale_);
  }

 private:
  locale_t locale_;  // null if there is no such locale: then the thread's stays in use
  locale_t previous_;
};

}  // namespace strata::unionfs::tar
