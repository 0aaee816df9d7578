#!/usr/bin/env bash
# Installs the renderer of figures, in the pinned version, into a folder of its
# own; does nothing where it is there already.
#   setup/renderer.sh [DIR]     default: build/renderer
set -euo pipefail
setup=$(cd "$(dirname "$0")" && pwd)
directory=$(realpath -m "${1:-$setup/../build/renderer}")

if ! cmp -s "$setup/renderer.txt" "$directory/renderer.txt"; then
  if [ -n "$(ls -A "$directory" 2>/dev/null)" ] && [ ! -e "$directory/renderer.txt" ]; then
    echo "renderer.sh: $directory holds something that is not this script's; name another folder" >&2
    exit 2
  fi
  mkdir -p "$(dirname "$directory")"
  part=$(mktemp -d "$directory.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  chmod 755 "$part"
  /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --no-input --no-deps --retries 1 \
    --only-binary :all: --require-hashes --root-user-action ignore --target "$part" \
    --requirement "$setup/renderer.txt"
  cp "$setup/renderer.txt" "$part/renderer.txt"
  rm -rf "$directory"
  mv "$part" "$directory"
fi
install -m 755 "$setup/render.py" "$directory/render"
