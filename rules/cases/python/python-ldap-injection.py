import ldap
import ldap3
from flask import Flask, request
from ldap.filter import escape_filter_chars

app = Flask(__name__)


@app.route("/person")
def person():
    uid = request.args["uid"]
    directory = ldap.initialize("ldaps://directory.example.org")
    # ruleid: python-ldap-injection
    return directory.search_s("dc=example,dc=org", ldap.SCOPE_SUBTREE, f"(uid={uid})")


@app.route("/group")
def group():
    directory = ldap3.Connection("directory.example.org", auto_bind=True)
    # ruleid: python-ldap-injection
    directory.search("dc=example,dc=org", "(cn=" + request.args["name"] + ")")
    return directory.entries


@app.route("/person2")
def person_escaped():
    uid = escape_filter_chars(request.args["uid"])
    directory = ldap.initialize("ldaps://directory.example.org")
    # ok: python-ldap-injection
    return directory.search_s("dc=example,dc=org", ldap.SCOPE_SUBTREE, f"(uid={uid})")


@app.route("/everyone")
def everyone():
    directory = ldap.initialize("ldaps://directory.example.org")
    # ok: python-ldap-injection
    return directory.search_s("dc=example,dc=org", ldap.SCOPE_SUBTREE, "(objectClass=person)")
