import os
import shlex
import subprocess

from fastapi import FastAPI
from flask import Blueprint, request

tools = Blueprint("tools", __name__)
api = FastAPI()


@tools.route("/ping")
def ping():
    host = request.args.get("host")
    # ruleid: python-command-injection
    return os.popen("ping -c 1 " + host).read()


@tools.route("/resolve/<host>")
def resolve(host):
    # ruleid: python-command-injection
    return subprocess.check_output(f"dig +short {host}", shell=True, timeout=5)


@api.post("/archive")
async def archive(folder: str):
    # ruleid: python-command-injection
    subprocess.run(["bash", "-c", f"tar czf /tmp/out.tgz {folder}"], check=True)


@tools.route("/trace")
def trace():
    host = request.args["host"]
    # ok: python-command-injection
    return subprocess.check_output(["traceroute", "-n", host], timeout=30)


@tools.route("/whois")
def whois():
    domain = shlex.quote(request.args["domain"])
    # ok: python-command-injection
    return os.popen("whois " + domain).read()


@tools.route("/wait")
def wait():
    seconds = int(request.args["seconds"])
    # ok: python-command-injection
    os.system(f"sleep {seconds}")
    return ""
