#!/usr/bin/env python3
"""A loopback adapter: it acknowledges each password change and sends the same change back.
loopback_adapter.py URL KEYFILE SOURCE                     receives until it is stopped
loopback_adapter.py URL KEYFILE SOURCE ACCOUNT             sends one change; the new password is on stdin"""
import json, signal, sys, time, urllib.error, urllib.request, uuid

url, key_file, source = sys.argv[1:4]
with open(key_file, encoding="ascii") as file:
    key = file.read().strip()

def call(name, body):
    """Repeats a call until the API answers it, and returns the HTTP status and the answer."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "idempotency-key": str(uuid.uuid4())}
    address = f"{url.rstrip('/')}/v1/adapters/{source}/{name}"
    wait = 1
    while True:
        try:
            request = urllib.request.Request(address, json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=90) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                return error.code, json.load(error)
        except OSError:
            pass  # the API cannot be reached, or the connection was lost
        time.sleep(wait)
        wait = min(2 * wait, 30)

def set_password(message):
    """Writes the password to the system. Replace this function; a message may arrive twice."""
    status, answer = call("send", {"account": message["account"], "password": message["password"]})
    print(f"{message['account']}: sent back, {status} {answer.get('result') or answer.get('code') or answer.get('id')}", flush=True)
    return {"result": "applied"}

def receive():
    # Ends after five seconds at most, also while the API cannot be reached.
    signal.signal(signal.SIGTERM, lambda *_: (signal.alarm(5), sys.exit(call("status", {"status": "offline"}) and 0)))
    call("initialise", {})
    while True:
        status, answer = call("receive", {"waitSeconds": 60})
        if answer.get("code") == "adapter_not_initialised":  # the API was restarted
            call("initialise", {})
        elif answer.get("code") == "adapter_disabled":  # it works again once an operator enables it
            time.sleep(10)
        elif status != 200:
            sys.exit(answer.get("detail"))
        for received in answer.get("messages", []):
            message = received["message"]
            _, completed = call("complete", {"trackingId": message["trackingId"], **set_password(message)})
            print(f"{message['account']}: {completed.get('effect')}", flush=True)

if len(sys.argv) > 4:
    print(*call("send", {"account": sys.argv[4], "password": sys.stdin.buffer.read().decode()}))
else:
    receive()
