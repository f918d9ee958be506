python3 - <<'END'
from clock import clock
assert [clock(m) for m in (0,9,600,1439)]==["00:00","00:09","10:00","23:59"]
END
