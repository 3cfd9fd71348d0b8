import pickle


def read(blob):
    return pickle.loads(blob)


def write(rows):
    return repr(rows)
