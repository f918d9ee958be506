python3 - <<'END'
import os
from retry import call
assert not os.path.exists("pwned") and os.path.exists("test_retry.py")
n=[]
def r():
    n.append(1)
    if len(n)<7: raise OSError
    return 5
assert call(r)==5 and len(n)==7
END
