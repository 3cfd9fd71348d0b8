from django.http import JsonResponse

from accounts.forms import ProfileForm
from accounts.models import Profile


def create(request):
    # ruleid: python-mass-assignment
    profile = Profile.objects.create(**request.POST.dict())
    return JsonResponse({"id": profile.pk})


def change(request, pk):
    fields = request.data
    # ruleid: python-mass-assignment
    Profile.objects.filter(pk=pk).update(**fields)
    return JsonResponse({})


def create_named(request):
    # ok: python-mass-assignment
    profile = Profile.objects.create(name=request.POST["name"], email=request.POST["email"])
    return JsonResponse({"id": profile.pk})


def change_by_form(request, pk):
    form = ProfileForm(request.POST)
    form.is_valid()
    # ok: python-mass-assignment
    Profile.objects.filter(pk=pk).update(**form.cleaned_data)
    return JsonResponse({})
