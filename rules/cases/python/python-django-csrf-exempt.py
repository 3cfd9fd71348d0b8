import hmac

from django.http import JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt, csrf_protect


# ruleid: python-django-csrf-exempt
@csrf_exempt
def change_address(request):
    request.user.address = request.POST["address"]
    request.user.save()
    return JsonResponse({})


# ruleid: python-django-csrf-exempt
@method_decorator(csrf_exempt, name="dispatch")
class Basket(View):
    def post(self, request):
        return JsonResponse({})


# ok: python-django-csrf-exempt
@csrf_protect
def change_name(request):
    request.user.name = request.POST["name"]
    request.user.save()
    return JsonResponse({})


# ok: python-django-csrf-exempt
@csrf_exempt
def payment_hook(request):
    expected = hmac.new(b"", request.body, "sha256").hexdigest()
    if not hmac.compare_digest(expected, request.headers["X-Signature"]):
        return JsonResponse({}, status=403)
    return JsonResponse({})
