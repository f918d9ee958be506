# Prints the report of a month.
echo "report of $1"
