work=$(mktemp -d)
mkdir "$work/in"
echo a > "$work/in/plain.txt"
echo b > "$work/in/with blank.txt"
sh backup.sh "$work/in" "$work/out"
test -f "$work/out/with blank.txt" || { echo "error: 'with blank.txt' was not copied" >&2; exit 1; }
