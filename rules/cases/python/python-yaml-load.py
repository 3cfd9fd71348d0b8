import yaml


def settings(path):
    with open(path) as stream:
        # ruleid: python-yaml-load
        return yaml.load(stream, Loader=yaml.Loader)


def documents(text):
    # ruleid: python-yaml-load
    return list(yaml.unsafe_load_all(text))


def settings_safely(path):
    with open(path) as stream:
        # ok: python-yaml-load
        return yaml.safe_load(stream)


def settings_fast(text):
    # ok: python-yaml-load
    return yaml.load(text, Loader=yaml.CSafeLoader)


class OrderSafeLoader(yaml.SafeLoader):
    pass


def orders(text):
    # ok: python-yaml-load
    return yaml.load(text, Loader=OrderSafeLoader)
