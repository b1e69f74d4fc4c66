#!/bin/sh
# Sluice @VERSION@: one file. It unpacks itself once, into SLUICE_CACHE or ~/.cache/sluice, and runs from there.
set -eu
cache=${SLUICE_CACHE:-$HOME/.cache/sluice}/app
app=$cache/@VERSION@-@DIGEST@
if [ ! -e "$app/node" ]; then
  mkdir -p "$cache"
  part=$(mktemp -d "$cache/unpacking.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  tail -n +@PAYLOAD_LINE@ "$0" | tar -xz -C "$part"
  chmod 755 "$part"
  # Of two that start at once both may unpack; one is kept.
  mv -T "$part" "$app" 2>/dev/null || [ -e "$app/node" ]
  trap - EXIT
  rm -rf "$part"
fi
exec "$app/node" "$app/bin/sluice" "$@"
