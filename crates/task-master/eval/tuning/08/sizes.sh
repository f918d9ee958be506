# Prints the sum of the second column of a table, of which the first line is the heading.
awk 'NR > 1 { sum += $1 } END { print sum }' "$1"
