import os
from pathlib import Path

from fastapi import FastAPI, UploadFile
from fastapi.responses import FileResponse
from flask import Flask, abort, request, send_file, send_from_directory
from werkzeug.utils import secure_filename

app = Flask(__name__)
api = FastAPI()
FOLDER = Path("/srv/invoices")


@app.route("/invoice")
def invoice():
    # ruleid: python-path-traversal
    return send_file(os.path.join("/srv/invoices", request.args["name"]))


@app.route("/note/<path:name>")
def note(name):
    # ruleid: python-path-traversal
    with open("/srv/notes/" + name) as stream:
        return stream.read()


@app.post("/upload")
def upload():
    uploaded = request.files["picture"]
    # ruleid: python-path-traversal
    uploaded.save(os.path.join("/srv/pictures", uploaded.filename))
    return "", 204


@api.get("/manual")
async def manual(name: str):
    # ruleid: python-path-traversal
    return FileResponse(f"/srv/manuals/{name}")


@api.post("/attach")
async def attach(attachment: UploadFile):
    target = FOLDER / attachment.filename
    # ruleid: python-path-traversal
    target.write_bytes(await attachment.read())
    return {}


@app.route("/invoice2")
def invoice_from_folder():
    # ok: python-path-traversal
    return send_from_directory("/srv/invoices", request.args["name"])


@app.post("/upload2")
def upload_with_safe_name():
    uploaded = request.files["picture"]
    # ok: python-path-traversal
    uploaded.save(os.path.join("/srv/pictures", secure_filename(uploaded.filename)))
    return "", 204


@app.route("/invoice3")
def invoice_checked():
    target = (FOLDER / request.args["name"]).resolve()
    if not target.is_relative_to(FOLDER):
        abort(404)
    # ok: python-path-traversal
    return target.read_bytes()


@app.route("/note/<int:number>")
def note_by_number(number):
    # ok: python-path-traversal
    with open(f"/srv/notes/{number}.txt") as stream:
        return stream.read()
