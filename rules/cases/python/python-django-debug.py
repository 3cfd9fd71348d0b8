import os

# ruleid: python-django-debug
DEBUG = True
ALLOWED_HOSTS = ["shop.example.org"]
INSTALLED_APPS = ["django.contrib.auth", "shop"]

if os.environ.get("SHOP_STAGE") == "test":
    # ruleid: python-django-debug
    DEBUG = True

# ok: python-django-debug
DEBUG = os.environ.get("SHOP_DEBUG", "") == "1"
# ok: python-django-debug
DEBUG = False
# ok: python-django-debug
TEMPLATE_DEBUG = True
