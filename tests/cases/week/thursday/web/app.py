def total(text, tax):
    return eval(text + tax)
