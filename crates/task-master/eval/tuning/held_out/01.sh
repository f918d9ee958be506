python3 - <<'END'
from series import total
assert total(1)==1 and total(10)==55
END
