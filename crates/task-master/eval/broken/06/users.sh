# Prints the names in a file whose lines are `id:name:shell`, in order.
cut -d: -f1 "$1" | sort
