#!/usr/bin/env bash
# A loopback adapter in shell, with curl and jq: it acknowledges each password change and sends the same change back.
# loopback_adapter.sh URL KEYFILE SOURCE             receives until it is stopped
# loopback_adapter.sh URL KEYFILE SOURCE ACCOUNT     sends one change; the new password is on stdin
set -euo pipefail
url=${1%/} key_file=$2 source=$3

# The key and the passwords go through pipes: other users of the machine can see arguments and the environment.
header() { printf 'Authorization: Bearer %s\n' "$(<"$key_file")"; }

# post NAME SECONDS: the body is on stdin; prints the answer, and fails unless the API answers in this time
post() {
  curl --silent --show-error --max-time "$2" --header @<(header) --header 'Content-Type: application/json' \
    --data-binary @- "$url/v1/adapters/$source/$1" |
    jq --compact-output --exit-status 'if (.status // 0) >= 500 or .status == 429 then halt_error(1) else . end' \
      2>/dev/null
}

# call NAME: the same, repeated until the API answers
call() {
  local body wait=1
  body=$(cat)
  until printf '%s' "$body" | post "$1" 90; do
    sleep "$wait"
    kill -0 $$ 2>/dev/null || exit # the adapter was killed
    wait=$((wait < 16 ? wait * 2 : 30))
  done
}

initialise() { echo '{}' | call initialise >/dev/null; }

# set_password: the message is on stdin. Replace this function; a message may arrive twice.
set_password() {
  jq '{account, password}' | call send | jq --raw-output '.result // .code // .id' >&2
  echo '{"result": "applied"}'
}

if [[ $# -gt 3 ]]; then
  jq --raw-input --slurp --arg account "$4" '{$account, password: .}' | call send
  exit
fi
receive() {
  initialise
  while kill -0 $$ 2>/dev/null; do
    answer=$(echo '{"waitSeconds": 20}' | call receive)
    case $(printf '%s' "$answer" | jq --raw-output '.code // ""') in
      '') ;;
      adapter_not_initialised) # the API was restarted
        initialise
        continue
        ;;
      adapter_disabled) # it works again once an operator enables it
        sleep 10
        continue
        ;;
      *)
        printf '%s' "$answer" | jq --raw-output .detail >&2
        exit 1
        ;;
    esac
    message=$(printf '%s' "$answer" | jq --compact-output '.messages[0].message // empty')
    [[ -n $message ]] || continue
    result=$(printf '%s' "$message" | set_password)
    printf '%s' "$message$result" | jq --slurp '{trackingId: .[0].trackingId} + .[1]' | call complete
  done
}

# The loop has a process group of its own, so that a stop reaches each program that it has started.
set -m
receive &
loop=$!
set +m
stop() {
  trap '' TERM INT
  kill -- "-$loop" 2>/dev/null || true
  echo '{"status": "offline"}' | post status 5 >/dev/null || true
  exit
}
trap stop TERM INT
wait "$loop"
