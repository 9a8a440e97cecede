#!/bin/sh
# Thins out a folder of backups; see README.md.
set -eu
here=$(dirname "$0")
. "$here/lib/dates.sh"
. "$here/lib/choose.sh"

dry=no
if [ "${1-}" = "-n" ]; then
    dry=yes
    shift
fi
if [ $# -lt 1 ] || [ $# -gt 3 ] || [ ! -d "$1" ]; then
    echo "usage: keepback.sh [-n] FOLDER [DAILY [MONTHLY]]" >&2
    exit 2
fi
folder=$1
daily=${2-7}
monthly=${3-6}

list_backups "$folder" | choose_doomed "$daily" "$monthly" | while IFS= read -r name; do
    echo "remove $name"
    if [ "$dry" = no ]; then
        rm -f -- "$folder/$name"
    fi
done
