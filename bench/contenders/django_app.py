"""Django's sessions and users in its database, asked for by request.user, under gunicorn."""

import os
import sys
from datetime import timedelta

import django
from django.conf import settings

folder = os.environ['BENCH_FOLDER']
settings.configure(
    SECRET_KEY='b7Qx0mT9rVw2Zk4LpN8sYc6HdJ1fGu3A',
    DEBUG=False,
    ALLOWED_HOSTS=['*'],
    USE_TZ=True,
    ROOT_URLCONF=__name__,
    DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': f'{folder}/django.db', 'CONN_MAX_AGE': None}},
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions'],
    MIDDLEWARE=[
        'django.contrib.sessions.middleware.SessionMiddleware',
        'django.contrib.auth.middleware.AuthenticationMiddleware',
    ],
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.utils.crypto import get_random_string  # noqa: E402


def profile(request):
    if not request.user.is_authenticated:
        return JsonResponse({}, status=403)
    return JsonResponse({'email': request.user.email})


urlpatterns = [path('profile', profile)]
application = get_wsgi_application()

if __name__ == '__main__':
    count = int(sys.argv[1])
    call_command('migrate', verbosity=0)
    people = [User(id=i, username=f'user{i}', email=f'user{i}@example.org', password='!') for i in range(1, count + 1)]
    User.objects.bulk_create(people, batch_size=1000)
    store = SessionStore()
    # The same for all, since it is made of the password.
    proof = people[0].get_session_auth_hash()
    expires = timezone.now() + timedelta(days=14)
    rows = [
        Session(
            session_key=get_random_string(32, 'abcdefghijklmnopqrstuvwxyz0123456789'),
            session_data=store.encode({
                '_auth_user_id': str(user.id),
                '_auth_user_backend': 'django.contrib.auth.backends.ModelBackend',
                '_auth_user_hash': proof,
            }),
            expire_date=expires,
        )
        for user in people
    ]
    Session.objects.bulk_create(rows, batch_size=1000)
    with open(f'{folder}/django.cookies', 'w') as file:
        file.writelines(f'cookie: sessionid={row.session_key}\n' for row in rows)
