import re

from flask import Flask, request

app = Flask(__name__)
LINES = ["tea", "coffee"]


@app.route("/filter")
def filter_lines():
    wanted = request.args["pattern"]
    # ruleid: python-regex-injection
    return [line for line in LINES if re.search(wanted, line)]


def rename(request):
    # ruleid: python-regex-injection
    matcher = re.compile("^" + request.POST["prefix"])
    return [matcher.sub("", line) for line in LINES]


@app.route("/filter2")
def filter_literal():
    wanted = re.escape(request.args["pattern"])
    # ok: python-regex-injection
    return [line for line in LINES if re.search(wanted, line)]


@app.route("/check")
def check():
    # ok: python-regex-injection
    return str(bool(re.fullmatch(r"[a-z]{1,20}", request.args["word"])))
