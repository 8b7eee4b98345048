#!/usr/bin/env bash
# Moves dead letters back to the queue: runs `recs dlq redrive`, preferably with this checkout's `recs`.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
for recs in "$root/.venv/bin/recs" "$(command -v recs || true)"; do
  [[ -x $recs ]] && exec "$recs" dlq redrive "$@"
done
echo "error: recs is not installed: run make setup in a checkout" >&2
exit 2
