#!/bin/sh
set -eu
cd "$(dirname "$0")"
got=$(mktemp)
trap 'rm -f "$got"' EXIT
sh report.sh sample.log > "$got"
diff sample.txt "$got"
echo "all tests pass"
