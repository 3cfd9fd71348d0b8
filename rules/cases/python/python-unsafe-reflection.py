import importlib

from flask import Flask, request

from shop import reports

app = Flask(__name__)
REPORTS = {"daily": reports.daily, "weekly": reports.weekly}


@app.route("/report")
def report():
    kind = request.args["kind"]
    # ruleid: python-unsafe-reflection
    return getattr(reports, kind)()


@app.route("/plugin")
def plugin():
    # ruleid: python-unsafe-reflection
    module = importlib.import_module(request.args["plugin"])
    return module.run()


@app.route("/report2")
def report_by_table():
    kind = request.args["kind"]
    # ok: python-unsafe-reflection
    return REPORTS[kind]()


@app.route("/plugin2")
def plugin_by_list():
    name = request.args["plugin"]
    if name not in ("csv", "xml"):
        raise ValueError(name)
    # ok: python-unsafe-reflection
    return importlib.import_module("shop.exports." + name).run()
