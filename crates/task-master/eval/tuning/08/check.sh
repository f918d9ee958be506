printf 'name size\na 3\nb 4\n' > table.txt
sum=$(sh sizes.sh table.txt)
[ "$sum" = 7 ] || { echo "error: the sizes are 7 together, and not '$sum'" >&2; exit 1; }
