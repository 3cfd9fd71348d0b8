import ast


def apply(rule, row):
    # ruleid: python-eval
    return eval(rule, {"row": row})


def load_plugin(path):
    with open(path) as stream:
        # ruleid: python-eval
        exec(stream.read())


def apply_literal(text):
    # ok: python-eval
    return ast.literal_eval(text)


def double(rate):
    # ok: python-eval
    return eval("rate * 2", {"rate": rate})


def query(frame, text):
    # A method of a table, not the function of the language.
    # ok: python-eval
    return frame.eval(text)
