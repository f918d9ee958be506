printf '1:max:sh\n2:eva:sh\n3:tom:sh\n' > u2.txt
[ "$(sh users.sh u2.txt | tr '\n' ' ')" = "eva max tom " ]
