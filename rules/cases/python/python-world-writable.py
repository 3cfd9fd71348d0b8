import os
from pathlib import Path


def share(path):
    # ruleid: python-world-writable
    os.chmod(path, 0o777)


def share_log(folder: Path):
    log = folder / "shop.log"
    # ruleid: python-world-writable
    log.chmod(0o666)


def keep(path):
    # ok: python-world-writable
    os.chmod(path, 0o600)


def publish(folder: Path):
    # ok: python-world-writable
    (folder / "index.html").chmod(0o644)


def run(path):
    # ok: python-world-writable
    os.chmod(path, 0o755)
