from django.http import HttpResponseRedirect
from django.shortcuts import redirect as django_redirect
from django.utils.http import url_has_allowed_host_and_scheme
from flask import Flask, redirect, request, url_for

app = Flask(__name__)


@app.route("/login")
def login():
    target = request.args.get("next", "/")
    # ruleid: python-open-redirect
    return redirect(target)


def leave(request):
    # ruleid: python-open-redirect
    return HttpResponseRedirect(request.GET["to"])


def back(request):
    target = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    # ok: python-open-redirect
    return django_redirect(target)


@app.route("/profile")
def profile():
    # ok: python-open-redirect
    return redirect(url_for("show_profile", name=request.args["name"]))


@app.route("/old/<slug>")
def old_address(slug):
    # ok: python-open-redirect
    return redirect(f"/articles/{slug}", code=301)


@app.route("/partner/<slug>")
def partner(slug):
    # ok: python-open-redirect
    return redirect("https://partner.example.org/" + slug)
