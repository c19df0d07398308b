"""A relying party on Django with mozilla-django-oidc: settings, pages, and a server for them."""
