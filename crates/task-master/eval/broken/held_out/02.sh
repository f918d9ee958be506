python3 - <<'END'
from dates import is_leap_year as l
assert [l(y) for y in (1700,1800,2024,2023,2100,2400)]==[False,False,True,False,False,True]
END
