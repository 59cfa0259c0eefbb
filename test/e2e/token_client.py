"""A program in another language: logs in for tokens, calls, refreshes, and is revoked. Nothing but Python's own library.

    python3 token_client.py http://localhost:5000 email password
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

server, email, password = sys.argv[1:4]


def send(method, path, fields=None, token=None):
    """Returns status and body; fields go as a form."""
    data = None if fields is None else urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(server + path, data, method=method)
    if token is not None:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def expect(expected, answer):
    status, body = answer
    assert status == expected, "%s instead of %s: %s" % (status, expected, body)
    return body


expect(200, send("POST", "/users", {"email": email, "password": password}))
expect(401, send("POST", "/tokens", {"email": email, "password": "wrong"}))
first = expect(200, send("POST", "/tokens", {"email": email, "password": password}))
assert first["token_type"] == "Bearer" and first["expires_in"] == 600, first
assert expect(200, send("GET", "/profile", token=first["access_token"])) == {"email": email}
expect(403, send("GET", "/profile"))
expect(401, send("GET", "/profile", token=first["refresh_token"]))

second = expect(200, send("POST", "/tokens/refresh", {"refresh_token": first["refresh_token"]}))
assert second["refresh_token"] != first["refresh_token"]
expect(200, send("PATCH", "/users/me", {"name": "Ada"}, token=second["access_token"]))
sessions = expect(200, send("GET", "/sessions", token=second["access_token"]))["sessions"]
assert [session["current"] for session in sessions] == [True], sessions

expect(200, send("DELETE", "/tokens", {"refresh_token": second["refresh_token"]}))
assert expect(401, send("GET", "/profile", token=second["access_token"]))["code"] == "token_invalid"
assert expect(401, send("POST", "/tokens/refresh", {"refresh_token": second["refresh_token"]}))["code"] == "refresh_refused"

# A thief uses the refresh token first; the owner's next refresh ends it for both.
owner = expect(200, send("POST", "/tokens", {"email": email, "password": password}))
thief = expect(200, send("POST", "/tokens/refresh", {"refresh_token": owner["refresh_token"]}))
again = expect(401, send("POST", "/tokens/refresh", {"refresh_token": owner["refresh_token"]}))
assert again["code"] == "refresh_token_reused", again
expect(401, send("GET", "/profile", token=thief["access_token"]))
print("OK")
