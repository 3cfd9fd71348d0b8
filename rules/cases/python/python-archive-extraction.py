import tarfile
import zipfile


def unpack(path, folder):
    with tarfile.open(path) as archive:
        # ruleid: python-archive-extraction
        archive.extractall(folder)


def unpack_one(path, name, folder):
    archive = tarfile.open(path)
    # ruleid: python-archive-extraction
    archive.extract(name, folder)


def unpack_filtered(path, folder):
    with tarfile.open(path) as archive:
        # ok: python-archive-extraction
        archive.extractall(folder, filter="data")


def unpack_zip(path, folder):
    # zipfile itself removes drives, roots and "..".
    with zipfile.ZipFile(path) as archive:
        # ok: python-archive-extraction
        archive.extractall(folder)
