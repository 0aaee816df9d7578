#!/usr/bin/env bash
# Installs the renderer of figures, in the pinned version, into a folder of its
# own; does nothing where it is there already.
#   setup/renderer.sh [DIR]     default: build/renderer
set -euo pipefail
setup=$(cd "$(dirname "$0")" && pwd)
directory=${1:-$setup/../build/renderer}

mkdir -p "$directory"
if ! cmp -s "$setup/renderer.txt" "$directory/renderer.txt"; then
  rm -rf "$directory"/*
  /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --no-input --no-deps --retries 1 \
    --only-binary :all: --require-hashes --root-user-action ignore --target "$directory" \
    --requirement "$setup/renderer.txt"
  cp "$setup/renderer.txt" "$directory/renderer.txt"
fi
install -m 755 "$setup/render.py" "$directory/render"
