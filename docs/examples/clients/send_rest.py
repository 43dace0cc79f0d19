"""Sends an SMS through OTP-Pi's REST API, and says what became of it. Python 3.9 or newer, nothing else.

    printf 'OTP Anda adalah 1234' | python3 send_rest.py 08126666666 [ID]

Environment: OTPPI_URL, OTPPI_USER, OTPPI_PASSWORD. The text is read from standard input: arguments can be read by
others. Ends with 0: sent. 1: not sent, for good. 2: wrong use. 3: not known; only the same ID may be sent again.
4: not sent, try later.
"""

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from http.client import HTTPException

PATIENCE = 60.0
UNKNOWN = ("queued", "sending", "unconfirmed", "lost")


def ask(method, path, body=None):
    """Ask the gateway; give HTTP status, the answer, and the seconds after which to try again."""
    user, password = os.environ["OTPPI_USER"], os.environ["OTPPI_PASSWORD"]
    request = urllib.request.Request(  # noqa: S310 - the address is your own
        os.environ.get("OTPPI_URL", "http://127.0.0.1:8899") + path,
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()},
    )
    try:
        # The gateway waits 15 s for the operator before it answers.
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            return response.status, json.load(response), 0
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}"), int(error.headers.get("Retry-After", 5))


def send(receiver, text, message_id):
    """Send a message; give how it ended."""
    data = {"id": message_id, "receiver": receiver, "message": text, "expiration": int(time.time()) + 300}
    deadline, known = time.monotonic() + PATIENCE, None
    while time.monotonic() < deadline:
        try:
            if known is None:
                status, answer, after = ask("POST", "/api/message", {"command": "send-sms", "data": data})
            else:
                status, answer, after = ask("GET", "/api/messages/" + known)
        except (OSError, HTTPException, ValueError):
            # No answer, or half of one: it may have been taken in all the same. The same id is never sent twice.
            status, answer, after = None, {}, 2
        state = (answer.get("data") or {}).get("state")
        if status in (200, 202) and state in ("queued", "sending"):
            known, after = answer["data"]["message_id"], 1
        elif answer.get("response_code") == "1201" and state == "failed":
            after = 0  # the one before was not sent after all
        elif status not in (None, 503):
            return status, answer, after
        time.sleep(min(after, max(0, deadline - time.monotonic())))
    return status, answer, after


def complain(reason, code):
    """Say why not; give what the program ends with."""
    sys.stderr.write(f"{reason}\n")
    return code


def main():
    """Run."""
    if len(sys.argv) not in (2, 3) or not os.environ.get("OTPPI_USER") or not os.environ.get("OTPPI_PASSWORD"):
        sys.stderr.write(__doc__)
        return 2
    message_id = sys.argv[2] if len(sys.argv) == 3 else str(uuid.uuid4())
    status, answer, after = send(sys.argv[1], sys.stdin.read(), message_id)
    data = answer.get("data") or {}
    if status is None:
        return complain("no answer", 3)
    if status in (429, 503):
        return complain(f"not sent: {answer['response_text']}; again in {after} s", 4)
    sys.stdout.write(f"{data.get('state', 'refused')} {answer.get('response_code')} {data.get('message_id', '')}\n")
    if data.get("state") in ("sent", "delivered"):
        return 0
    if data.get("state") in UNKNOWN:
        return 3
    reasons = [f"{flaw['field']}: {flaw['reason']}" for flaw in data.get("errors", [])]
    return complain(data.get("cause") or "; ".join(reasons) or answer.get("response_text"), 1)


if __name__ == "__main__":
    sys.exit(main())
