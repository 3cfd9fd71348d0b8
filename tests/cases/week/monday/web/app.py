def total(text):
    return eval(text)
