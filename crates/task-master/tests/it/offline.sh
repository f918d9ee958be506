# The whole journey, in a network that has loopback alone. The first argument is the program. Says how
# each step ended; what it printed lies in `out.STEP`.
program=$1
ip link set lo up || exit 1
step() {
    name=$1
    shift
    "$program" "$@" >"out.$name" 2>&1 </dev/null
    echo "$name $?"
}
step init init -y --no-git --no-aliases
step parse-prd parse-prd prd.md -n 1
step kb-add kb add prd.md
step kb-search kb search "how often are readings stored"
step research research "How often are readings stored?"
step list list
"$program" serve --listen 127.0.0.1:0 >out.serve 2>&1 </dev/null &
server=$!
until grep -q 'answers at http' out.serve; do kill -0 $server || exit 1; done
url=$(grep -m 1 'answers at http' out.serve)
exec 3<>"/dev/tcp/127.0.0.1/${url##*:}"
body='{"model": "main", "max_tokens": 4, "messages": [{"role": "user", "content": "Hi"}]}'
printf 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' >&3
printf 'Content-Length: %d\r\n\r\n%s' ${#body} "$body" >&3
head -n 1 <&3
kill -TERM $server
wait $server
echo "serve $?"
