"""A client of the classic contract, as they are written: forms by python-requests, whole bodies compared.

    python3 classic_client.py PORT

Runs the flow that such clients run, against each of the three hosts that they use. Exits with 1 at the first difference.
"""

import sys

import requests

PASSWORD = "k3ks0"
NEW_PASSWORD = "sch0k0lade"


def expect(answer, status, body=None):
    """Compares the status, and the body where one is given."""
    if answer.status_code != status or (body is not None and answer.json() != body):
        sys.exit(
            f"{answer.request.method} {answer.url}\n"
            f"  expected  {status} {body if body is not None else ''}\n"
            f"  got       {answer.status_code} {answer.text}"
        )


def register_user(base, email, password):
    fields = {"email": email, "password": password}
    expect(requests.post(f"{base}/users", data=fields), 200, {"email": email, "message": "user created"})
    expect(requests.post(f"{base}/users", data=fields), 400, {"message": "email already registered"})


def log_in_wrong_password(base, email, password):
    answer = requests.post(f"{base}/sessions", data={"email": email, "password": password})
    expect(answer, 401)
    if answer.cookies:
        sys.exit(f"a refused login set cookies: {answer.cookies}")


def profile_unlogged(base):
    expect(requests.get(f"{base}/profile"), 403)
    expect(requests.get(f"{base}/profile", cookies={"session_id": ""}), 403)


def log_in(base, email, password):
    answer = requests.post(f"{base}/sessions", data={"email": email, "password": password})
    expect(answer, 200, {"email": email, "message": "logged in"})
    return answer.cookies["session_id"]


def profile_logged(base, session_id, email):
    expect(requests.get(f"{base}/profile", cookies={"session_id": session_id}), 200, {"email": email})


def log_out(base, session_id):
    answer = requests.delete(f"{base}/sessions", cookies={"session_id": session_id})
    expect(answer, 200, {"message": "Bienvenue"})
    if [step.status_code for step in answer.history] != [302]:
        sys.exit(f"logout led here by {answer.history}, not by one 302")
    expect(requests.get(f"{base}/profile", cookies={"session_id": session_id}), 403)


def browse(base, email, password):
    """The same by a session of requests, which keeps cookies in a jar as a browser does."""
    with requests.Session() as browser:
        expect(browser.post(f"{base}/sessions", data={"email": email, "password": password}), 200)
        expect(browser.get(f"{base}/profile"), 200, {"email": email})
        expect(browser.delete(f"{base}/sessions"), 200, {"message": "Bienvenue"})
        if len(browser.cookies) != 0:
            sys.exit(f"logout left cookies in the jar: {browser.cookies}")
        expect(browser.get(f"{base}/profile"), 403)


def reset_password_token(base, email):
    answer = requests.post(f"{base}/reset_password", data={"email": email})
    token = answer.json().get("reset_token")
    expect(answer, 200, {"email": email, "reset_token": token})
    return token


def update_password(base, email, reset_token, new_password):
    fields = {"email": email, "reset_token": reset_token, "new_password": new_password}
    expect(requests.put(f"{base}/reset_password", data=fields), 200, {"email": email, "message": "Password updated"})
    expect(requests.put(f"{base}/reset_password", data=fields), 403)


def run(base, email):
    expect(requests.get(f"{base}/"), 200, {"message": "Bienvenue"})
    register_user(base, email, PASSWORD)
    log_in_wrong_password(base, email, NEW_PASSWORD)
    profile_unlogged(base)
    session_id = log_in(base, email, PASSWORD)
    profile_logged(base, session_id, email)
    log_out(base, session_id)
    browse(base, email, PASSWORD)
    reset_token = reset_password_token(base, email)
    update_password(base, email, reset_token, NEW_PASSWORD)
    log_in_wrong_password(base, email, PASSWORD)
    log_in(base, email, NEW_PASSWORD)


if __name__ == "__main__":
    for name in ("localhost", "127.0.0.1", "0.0.0.0"):
        run(f"http://{name}:{sys.argv[1]}", f"bob@{name}.example.org")
        print(f"{name}: all is well")
