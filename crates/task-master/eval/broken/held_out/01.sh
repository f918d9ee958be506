python3 - <<'END'
from basket import add
assert add(1)==[1]
assert add(2)==[2]
b=[0]
assert add(3,b)==[0,3]
END
