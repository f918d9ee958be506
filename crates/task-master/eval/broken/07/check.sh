printf '# where to listen\nport=80\n\nhost=localhost\n# port=81\n' > example.conf
count=$(sh settings.sh example.conf)
[ "$count" = 2 ] || { echo "error: example.conf has 2 settings, and not $count" >&2; exit 1; }
