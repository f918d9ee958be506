python3 - <<'END'
from shop.price import price
assert price(1000,True)==850 and price(1000,False)==1000
END
