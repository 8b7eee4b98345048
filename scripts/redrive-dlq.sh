#!/usr/bin/env bash
# Sends dead letters back to the queue: `recs dlq redrive`, wherever this checkout's `recs` is.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
for recs in "$root/.venv/bin/recs" "$(command -v recs || true)"; do
  [[ -x $recs ]] && exec "$recs" dlq redrive "$@"
done
echo "error: recs is not installed: run make setup, or pip install '.[cli]'" >&2
exit 2
