#!/usr/bin/env python3
"""Reports a changed password to Lockstep: send_capture.py URL KEYFILE SOURCE ACCOUNT CHANGE [--hash], the password on stdin."""
import datetime, json, sys, time, urllib.error, urllib.request

url, key_file, source, account, change = sys.argv[1:6]
member = "encoded" if "--hash" in sys.argv else "password"
# Read once, before the first attempt: Lockstep uses the time to distinguish an old password from a new one.
captured_at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
body = json.dumps({"source": source, "account": account, member: sys.stdin.buffer.read().decode(), "capturedAt": captured_at})
with open(key_file, encoding="ascii") as file:
    key = file.read().strip()
request = urllib.request.Request(url.rstrip("/") + "/v1/captures", body.encode(), {
    "authorization": f"Bearer {key}",
    "content-type": "application/json",
    "idempotency-key": change,  # the name of this change in the source: the same in every attempt
})
wait = 1
while True:  # until the api answers: without an answer the capture may be stored or not
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.load(answer)
            print(f"change {result['id']}" if answer.status == 202 else result["says"])
            sys.exit(0)
    except urllib.error.HTTPError as error:
        if error.code < 500 and error.code != 429:  # a repeat would be refused too
            sys.exit(json.load(error).get("detail") or f"refused: {error.code}")
    except OSError:
        pass  # the api cannot be reached: send it again
    time.sleep(wait)
    wait = min(2 * wait, 60)
