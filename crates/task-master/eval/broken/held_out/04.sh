python3 - <<'END'
from stock import Stock
s=Stock()
s.receive("a",1)
s.receive("b",7)
s.receive("a",4)
assert (s.count("a"),s.count("b"),s.count("c"))==(5,7,0)
END
