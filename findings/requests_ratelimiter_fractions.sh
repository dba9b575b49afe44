#!/usr/bin/env bash
# requests-ratelimiter sends a burst where a rate is no whole number: at 0.9 a second nine requests at once.
#
# Packages   requests-ratelimiter 0.10.0, pyrate-limiter 4.5.1, requests 2.32.5
# Expected   Its page says: per_second "Max requests per second", burst "Max number of consecutive requests allowed
#            before applying per-second rate-limiting", 1 by default. So at 0.9 a second two requests are 1.1 s apart.
# Seen       A fraction is turned into whole requests in a longer time, 9 in 10 s, 3 in 2 s, 333 in 1,000 s, and
#            that many may be sent at once. Seconds at which a server on this machine got them:
#                1 a second      0.0 1.1 2.1
#                0.9 a second    0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 10.1
#                1.5 a second    0.0 0.0 0.0 2.1
#                0.333 a second  0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0
# Who        Whoever sets a rate just below a host's limit, such as 0.9 for one a second, and is locked out.
#
# Exits 0 if it is still so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  requests-ratelimiter==0.10.0 pyrate-limiter==4.5.1 requests==2.32.5
"$work/venv/bin/python" - <<'PY'
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from requests_ratelimiter import LimiterSession

arrived = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        arrived.append(time.monotonic())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()


def seconds(rate, count):
    """When each of some requests arrived, from the first one on."""
    arrived.clear()
    with LimiterSession(per_second=rate) as session:
        session.trust_env = False
        for _ in range(count):
            session.get(f"http://127.0.0.1:{server.server_port}")
    found = [moment - arrived[0] for moment in arrived]
    print(f"{f'{rate} a second':15}", *(f"{one:.1f}" for one in found))
    return found


whole, nine, three, many = seconds(1, 3), seconds(0.9, 10), seconds(1.5, 4), seconds(0.333, 12)
kept = whole[1] > 0.9 and whole[2] > 1.9
bursts = nine[8] < 1 and nine[9] > 9 and three[2] < 0.5 and three[3] > 1.9 and many[-1] < 2
sys.exit(not (kept and bursts))
PY
