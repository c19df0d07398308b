"""Make the tables, then listen on the port that is given."""

import os
import sys
from wsgiref.simple_server import make_server

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.relying_parties.django_party.settings"

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
call_command("migrate", run_syncdb=True, verbosity=0)
make_server("127.0.0.1", int(sys.argv[1]), application).serve_forever()
