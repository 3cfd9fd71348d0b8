from flask import Flask, make_response

app = Flask(__name__)
# ruleid: python-insecure-cookie
app.config["SESSION_COOKIE_HTTPONLY"] = False


@app.route("/login")
def login():
    response = make_response("")
    # ruleid: python-insecure-cookie
    response.set_cookie("session_id", "x", secure=False, httponly=True)
    # ruleid: python-insecure-cookie
    response.set_cookie("auth_token", "x")
    return response


@app.route("/login2")
def login_safely():
    response = make_response("")
    # ok: python-insecure-cookie
    response.set_cookie("session_id", "x", secure=True, httponly=True, samesite="Lax")
    # ok: python-insecure-cookie
    response.set_cookie("language", "en")
    return response


# ok: python-insecure-cookie
app.config["SESSION_COOKIE_SECURE"] = True
