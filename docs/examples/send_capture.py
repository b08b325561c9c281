#!/usr/bin/env python3
"""Tells Lockstep of a password that was changed: send_capture.py URL KEYFILE SOURCE ACCOUNT CHANGE [--hash], the password on stdin."""
import datetime, json, sys, time, urllib.error, urllib.request

url, key_file, source, account, change = sys.argv[1:6]
member = "encoded" if "--hash" in sys.argv else "password"
# Taken once, before the first attempt: the time tells an old password from a new one.
captured_at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
body = json.dumps({"source": source, "account": account, member: sys.stdin.buffer.read().decode(), "capturedAt": captured_at})
with open(key_file, encoding="ascii") as file:
    key = file.read().strip()
request = urllib.request.Request(url.rstrip("/") + "/v1/captures", body.encode(), {
    "authorization": f"Bearer {key}",
    "content-type": "application/json",
    "idempotency-key": change,  # what the source calls this change: the same in every attempt
})
wait = 1
while True:  # until it is answered: what is not answered may be there, or not
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
            print(f"change {told['id']}" if answer.status == 202 else told["says"])
            sys.exit(0)
    except urllib.error.HTTPError as error:
        if error.code < 500 and error.code != 429:  # it will not be taken, however often it is sent
            sys.exit(json.load(error).get("detail") or f"refused: {error.code}")
    except OSError:
        pass  # nobody there: it is sent again
    time.sleep(wait)
    wait = min(2 * wait, 60)
