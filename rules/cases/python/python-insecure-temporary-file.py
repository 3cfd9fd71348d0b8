import os
import tempfile


def scratch():
    # ruleid: python-insecure-temporary-file
    name = tempfile.mktemp(suffix=".csv")
    return open(name, "w")


def pair():
    # ruleid: python-insecure-temporary-file
    return tempfile.mktemp(), os.getpid()


def scratch_safely():
    # ok: python-insecure-temporary-file
    return tempfile.NamedTemporaryFile("w", suffix=".csv")


def pair_safely():
    # ok: python-insecure-temporary-file
    handle, name = tempfile.mkstemp()
    return handle, name
