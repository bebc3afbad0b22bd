#!/usr/bin/env bash
# Runs every finding, or those named, one after the other, and says of each whether it still holds: npm run findings [NAME…]
cd "$(dirname "$0")" || exit 2
[ $# -gt 0 ] || set -- $(ls ./*.sh | grep -v -e '/all.sh$' -e '/common.sh$' | sed 's#^./##; s#\.sh$##')
changed=0
for name in "$@"; do
  bash "$name.sh" >"/tmp/finding.$$" 2>&1
  case $? in
    0) echo "holds    $name" ;;
    2) echo "untried  $name: $(tail -n 1 "/tmp/finding.$$")" ;;
    *) echo "CHANGED  $name"; tail -n 20 "/tmp/finding.$$"; changed=1 ;;
  esac
done
rm -f "/tmp/finding.$$"
exit $changed
