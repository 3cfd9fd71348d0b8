import os
import shlex
import subprocess


def convert(source, target):
    # ruleid: python-shell-dynamic-command
    subprocess.run(f"convert {source} {target}", shell=True, check=True)


def clean(folder):
    command = "rm -rf " + folder + "/cache"
    # ruleid: python-shell-dynamic-command
    os.system(command)


def convert_by_list(source, target):
    # ok: python-shell-dynamic-command
    subprocess.run(["convert", source, target], check=True)


def clean_quoted(folder):
    # ok: python-shell-dynamic-command
    os.system("rm -rf " + shlex.quote(folder) + "/cache")


def list_processes():
    # ok: python-shell-dynamic-command
    return subprocess.run("ps aux | head -20", shell=True, capture_output=True, check=True)


def wait(seconds: int):
    # ok: python-shell-dynamic-command
    os.system(f"sleep {seconds}")
