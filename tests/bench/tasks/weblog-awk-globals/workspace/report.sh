#!/bin/sh
# A report of an access log.
set -eu
here=$(dirname "$0")
if [ $# -ne 1 ] || [ ! -r "$1" ]; then
    echo "usage: report.sh LOG" >&2
    exit 2
fi
fields=$(mktemp)
trap 'rm -f "$fields"' EXIT
awk -f "$here/fields.awk" "$1" > "$fields"
echo "requests by hour"
awk -F '\t' -f "$here/hours.awk" "$fields"
echo "pages"
awk -F '\t' -f "$here/size.awk" -f "$here/pages.awk" "$fields" | sort -t "$(printf '\t')" -k1,1nr -k3,3 | head -n 5
echo "errors"
awk -F '\t' -f "$here/errors.awk" "$fields"
