import hmac
import json
import pickle
import socket

import requests


def receive(port):
    server = socket.create_server(("127.0.0.1", port))
    connection, _ = server.accept()
    data = connection.recv(65536)
    # ruleid: python-network-deserialisation
    return pickle.loads(data)


def model():
    answer = requests.get("https://models.example.org/latest", timeout=30)
    # ruleid: python-network-deserialisation
    return pickle.loads(answer.content)


def receive_json(connection):
    # ok: python-network-deserialisation
    return json.loads(connection.recv(65536))


def model_signed(key, signature):
    content = requests.get("https://models.example.org/latest", timeout=30).content
    if not hmac.compare_digest(hmac.digest(key, content, "sha256"), signature):
        raise ValueError("wrong signature")
    # ok: python-network-deserialisation
    return pickle.loads(content)


def cached(path):
    with open(path, "rb") as stream:
        # ok: python-network-deserialisation
        return pickle.loads(stream.read())


def copied():
    request = requests.Request("GET", "https://models.example.org/latest")
    # ok: python-network-deserialisation
    return pickle.loads(pickle.dumps(request))


def copied_answer():
    answer = requests.get("https://models.example.org/latest", timeout=30)
    # ok: python-network-deserialisation
    return pickle.loads(pickle.dumps(answer))
