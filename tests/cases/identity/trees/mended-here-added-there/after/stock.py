import json
import pickle


def read(blob):
    return json.loads(blob)


def write(rows):
    return pickle.loads(rows)
