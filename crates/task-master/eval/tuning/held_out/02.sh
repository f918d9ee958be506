work=$(mktemp -d)
mkdir "$work/in"
echo c > "$work/in/a  b c"
echo d > "$work/in/d"
sh backup.sh "$work/in" "$work/out" && test "$(cat "$work/out/a  b c")" = c && test -f "$work/out/d"
