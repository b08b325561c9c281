#!/bin/sh
# Asks the lookup service: lookup.sh URL KEYFILE read APP | ticket APP | redeem APP SENDER | sign-in APP USERID
# redeem reads the ticket, and sign-in the password, on stdin. The answer is JSON on stdout.
set -eu
case $#-${3-} in 4-read | 4-ticket | 5-redeem | 5-sign-in) ;;
  *) sed -n 's/^# Asks the lookup service: /Usage: /p' "$0" >&2; exit 2 ;; esac
url=$1 verb=$3 application=$4 name=${5-}
key=$(cat "$2" 2>/dev/null) || { echo "The key file $2 cannot be read." >&2; exit 1; }

# The key and the body come from files and pipes, because "ps" shows the arguments of a process.
ask() {
  code=0
  answer=$(curl -s --fail-with-body --max-time 30 -H @/dev/fd/3 -H 'content-type: application/json' "$@" 3<<EOF
authorization: Bearer $key
EOF
) || code=$?
  case $code in
    0) printf '%s\n' "$answer"; return ;;
    22) printf '%s\n' "$answer" | sed -E 's/.*"detail":"(([^"\\]|\\.)*)".*/\1/; s/\\(.)/\1/g' >&2 ;;
    *) echo "The lookup service cannot be reached (curl $code)." >&2 ;;
  esac
  exit 1
}
text() { tr -d '\n' | sed 's/[\\"]/\\&/g'; }
post() {
  printf '{"application":"%s"' "$application"
  if [ -n "$name" ]; then printf ',"%s":"%s","%s":"%s"' "$1" "$(printf %s "$name" | text)" "$2" "$(text)"; fi
  printf '}'
}
case $verb in
  read) ask "$url/v1/credentials/$application" ;;
  ticket) post </dev/null | ask --data-binary @- "$url/v1/tickets" ;;
  redeem) post sender ticket | ask --data-binary @- "$url/v1/tickets/redeem" ;;
  sign-in) post userId password | ask --data-binary @- "$url/v1/host-sign-ins" ;;
esac
