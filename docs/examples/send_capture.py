#!/usr/bin/env python3
"""Reports a changed password to Lockstep. Usage: send_capture.py URL KEYFILE SOURCE ACCOUNT CHANGE [--hash], with the password on stdin."""
import datetime, json, sys, time, urllib.error, urllib.request

url, key_file, source, account, change = sys.argv[1:6]
member = "encoded" if "--hash" in sys.argv else "password"
# The time is fixed before the first attempt: Lockstep uses it to tell an old password from a new one.
captured_at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
body = json.dumps({"source": source, "account": account, member: sys.stdin.buffer.read().decode(), "capturedAt": captured_at})
with open(key_file, encoding="ascii") as file:
    key = file.read().strip()
request = urllib.request.Request(url.rstrip("/") + "/v1/captures", body.encode(), {
    "authorization": f"Bearer {key}",
    "content-type": "application/json",
    "idempotency-key": change,  # the id of this change in the source, the same in every attempt
})
wait = 1
while True:  # retry until there is an answer: without one, the capture may or may not have arrived
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.load(answer)
            print(f"change {result['id']}" if answer.status == 202 else result["says"])
            sys.exit(0)
    except urllib.error.HTTPError as error:
        if error.code < 500 and error.code != 429:  # a permanent rejection: sending it again would not help
            sys.exit(json.load(error).get("detail") or f"refused: {error.code}")
    except OSError:
        pass  # the server did not answer: retry
    time.sleep(wait)
    wait = min(2 * wait, 60)
