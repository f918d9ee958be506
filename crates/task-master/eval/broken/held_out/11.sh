python3 - <<'END'
from blog.post import address
assert address("  A b\tC ")=="/posts/a-b-c"
END
