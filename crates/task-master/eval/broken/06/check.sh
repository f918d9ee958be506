printf '7:zoe:sh\n9:ada:bash\n' > users.txt
names=$(sh users.sh users.txt | tr '\n' ' ')
[ "$names" = "ada zoe " ] || { echo "error: expected 'ada zoe ', got '$names'" >&2; exit 1; }
