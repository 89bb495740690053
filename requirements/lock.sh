#!/usr/bin/env bash
# Resolve pyproject.toml into hash-locked files for every platform; run through `make lock`.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { # output extras… : one locked file that agrees with those before it
  local out=$1; shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header \
    pyproject.toml requirements/build.in "$@" -o "requirements/$out"
}
compile base.txt
compile dev.txt --extra dev --extra eval --extra postgres -c requirements/base.txt
compile train.txt --extra dev --extra eval --extra postgres --extra train -c requirements/dev.txt
# Blender 4.5 needs NumPy 1, so its environment is resolved on its own.
compile render.txt --extra dev --extra eval --extra postgres --extra render
