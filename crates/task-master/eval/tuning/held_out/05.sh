python3 - <<'END'
from circle import *
import circle
assert abs(circle.circumference(1)-6.28318)<1e-4 and abs(circle.area(1)-3.14159)<1e-4
END
