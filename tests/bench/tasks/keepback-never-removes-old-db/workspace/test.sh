#!/bin/sh
# The tests: sh test.sh
set -eu
cd "$(dirname "$0")"
. ./lib/dates.sh
. ./lib/choose.sh
failed=0

check() { # what, got, expected
    if [ "$2" != "$3" ]; then
        printf 'FAIL %s\n  got      %s\n  expected %s\n' "$1" "$2" "$3"
        failed=1
    fi
}

check "date" "$(date_of db-20240301.tar)" 20240301
check "no date" "$(date_of db.tar || echo none)" none
check "bad month" "$(date_of db-20241301.tar || echo none)" none

got=$(printf '%s\n' "20240305 a" "20240304 b" "20240304 c c" "20240302 d" "20240229 e" "20240228 f" "20240131 g" \
    "20231231 h" | choose_doomed 2 2 | tr '\n' ' ')
check "choose" "$got" "f g h "

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
touch "$folder/db-20240301.tar" "$folder/db-20240302.tar" "$folder/db x-20240303.tar" "$folder/old-db-20240229.tar" "$folder/notes.tar"
check "dry run" "$(sh keepback.sh -n "$folder" 1 0 | tr '\n' ' ')" "remove db-20240302.tar remove db-20240301.tar remove old-db-20240229.tar "
check "nothing gone" "$(ls "$folder" | wc -l | tr -d ' ')" 5
sh keepback.sh "$folder" 1 0 >/dev/null
check "what stays" "$(ls "$folder" | tr '\n' ' ')" "db x-20240303.tar notes.tar "

[ "$failed" = 0 ] && echo "all tests pass"
exit "$failed"
