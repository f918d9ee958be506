# Prints how many settings a file has. Empty lines and lines that begin with # are none.
grep -v '^$' "$1" | wc -l | tr -d ' '
