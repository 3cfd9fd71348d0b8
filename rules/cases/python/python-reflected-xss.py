from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from flask import Flask, Response, jsonify, make_response, render_template, request
from markupsafe import escape

app = Flask(__name__)


@app.route("/greet")
def greet():
    name = request.args.get("name", "")
    # ruleid: python-reflected-xss
    return f"<p>Welcome, {name}</p>"


@app.route("/error")
def error():
    page = "<h1>Not found: " + request.args["path"] + "</h1>"
    # ruleid: python-reflected-xss
    return make_response(page, 404)


def hello(request):
    # ruleid: python-reflected-xss
    return HttpResponse("<b>%s</b>" % request.GET["name"])


@app.route("/greet2")
def greet_escaped():
    # ok: python-reflected-xss
    return f"<p>Welcome, {escape(request.args['name'])}</p>"


@app.route("/greet3")
def greet_template():
    # ok: python-reflected-xss
    return make_response(render_template("greet.html", name=request.args["name"]))


@app.route("/plain")
def plain():
    # ok: python-reflected-xss
    return Response(request.args["text"], mimetype="text/plain")


@app.route("/data")
def data():
    # ok: python-reflected-xss
    return make_response(jsonify(name=request.args["name"]))


def hello_formatted(request):
    # ok: python-reflected-xss
    return HttpResponse(format_html("<b>{}</b>", request.GET["name"]))


def hello_rendered(request):
    rendered = render_to_string("hello.html", {"name": request.GET["name"]})
    # ok: python-reflected-xss
    return HttpResponse(rendered)
