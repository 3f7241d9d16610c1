# shellcheck shell=bash
# What the scripts share. Sourced, never run.

set -euo pipefail

STRATA_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STRATA_CACHE=${STRATA_CACHE:-/var/cache/strata}
STRATA_BUILD=${STRATA_BUILD:-$STRATA_SOURCE/build/release}
export STRATA_SOURCE STRATA_CACHE STRATA_BUILD

say() { printf '%s\n' "== $*" >&2; }

die() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Prints the comment block below the shebang line of the calling script: its --help.
print_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

need_root() {
  [ "$(id -u)" -eq 0 ] || die "must run as root (namespaces, mounts, package installation)"
}

jobs() { nproc; }
