def answer(request):
    return int(request.args["text"])
