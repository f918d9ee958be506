python3 - <<'END'
from tax import tax
assert tax(2000,"map")==180 and tax(2000,"newspaper")==180 and tax(500,"lamp")==105
END
