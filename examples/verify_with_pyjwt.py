"""Verifies an access token of Bienvenue in Python, with PyJWT (Debian: python3-jwt), without asking Bienvenue about it.

    python3 verify_with_pyjwt.py https://auth.example.org [audience] [address of the keys] < token

Prints the ids of the user and of the session as JSON, or says what is wrong and ends with 1.
"""

import json
import sys

import jwt

issuer = sys.argv[1]
audience = sys.argv[2] if len(sys.argv) > 2 else issuer
keys = jwt.PyJWKClient(sys.argv[3] if len(sys.argv) > 3 else issuer + "/.well-known/jwks.json")


def verify(token):
    """Returns the claims of a token that is good; raises jwt.PyJWTError for every other."""
    # What keeps these tokens apart from all others; PyJWT leaves it to us, and a header of thousands of brackets too.
    try:
        header = jwt.get_unverified_header(token)
    except RecursionError:
        raise jwt.InvalidTokenError("this is no access token")
    if header.get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("this is no access token")
    return jwt.decode(
        token,
        keys.get_signing_key(header.get("kid")).key,
        algorithms=["ES256", "EdDSA"],
        issuer=issuer,
        audience=audience,
        options={"require": ["exp", "iat", "sub", "sid", "jti"]},
    )


try:
    claims = verify(sys.stdin.read().strip())
except jwt.PyJWTError as error:
    print("refused: %s" % error, file=sys.stderr)
    sys.exit(1)
print(json.dumps({"user": claims["sub"], "session": claims["sid"]}))
