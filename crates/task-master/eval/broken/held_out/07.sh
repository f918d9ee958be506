printf '#a\n#b\nx=1\n\n\ny=#2\nz=3\n' > e2.conf
[ "$(sh settings.sh e2.conf)" = 3 ]
