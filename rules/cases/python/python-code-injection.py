import ast

from django.http import JsonResponse
from flask import Flask, request

app = Flask(__name__)


@app.post("/calculate")
def calculate():
    expression = request.form["expression"]
    # ruleid: python-code-injection
    return str(eval(expression))


def run_report(request):
    script = request.POST.get("script", "")
    names = {}
    # ruleid: python-code-injection
    exec(script, names)
    return JsonResponse({"total": names.get("total")})


@app.post("/literal")
def literal():
    # ok: python-code-injection
    return str(ast.literal_eval(request.form["expression"]))


@app.post("/constant")
def constant():
    rate = float(request.form["rate"])
    # ok: python-code-injection
    return str(eval("rate * 2", {"rate": rate}))
