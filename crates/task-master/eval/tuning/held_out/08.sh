printf 'name size\nx 10\ny 20\nz 1\n' > t2.txt
[ "$(sh sizes.sh t2.txt)" = 31 ]
