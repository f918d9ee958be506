python3 - <<'END'
from catalogue import first_page
assert first_page(["b","a"])==["a","b"] and len(first_page([str(i) for i in range(99)]))==20
END
