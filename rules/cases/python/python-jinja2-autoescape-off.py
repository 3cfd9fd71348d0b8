import jinja2
from flask import Flask
from jinja2 import Environment, FileSystemLoader, select_autoescape

app = Flask(__name__)


def pages(folder):
    # ruleid: python-jinja2-autoescape-off
    return Environment(loader=FileSystemLoader(folder))


def mails(folder):
    # ruleid: python-jinja2-autoescape-off
    return jinja2.Environment(loader=FileSystemLoader(folder), autoescape=False)


def pages_escaped(folder):
    # ok: python-jinja2-autoescape-off
    return Environment(loader=FileSystemLoader(folder), autoescape=select_autoescape())


def pages_always(folder):
    # ok: python-jinja2-autoescape-off
    return jinja2.Environment(loader=FileSystemLoader(folder), autoescape=True)
