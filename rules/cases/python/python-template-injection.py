import jinja2
from flask import Flask, render_template, render_template_string, request

app = Flask(__name__)
environment = jinja2.Environment(autoescape=True)


@app.route("/hello")
def hello():
    name = request.args.get("name", "you")
    # ruleid: python-template-injection
    return render_template_string("<h1>Hello " + name + "</h1>")


@app.post("/preview")
def preview():
    body = request.get_json()["body"]
    # ruleid: python-template-injection
    return environment.from_string(body).render(order=None)


@app.route("/hello2")
def hello_by_value():
    # ok: python-template-injection
    return render_template_string("<h1>Hello {{ name }}</h1>", name=request.args["name"])


@app.route("/hello3")
def hello_by_file():
    # ok: python-template-injection
    return render_template("hello.html", name=request.args["name"])
