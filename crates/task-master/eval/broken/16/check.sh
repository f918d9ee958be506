test -f /var/lib/ledger/closed-2031-05 || { echo "error: the ledger of May is not closed: /var/lib/ledger/closed-2031-05 is missing" >&2; exit 1; }
sh report.sh 2031-05
