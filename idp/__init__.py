"""Seuil: an OpenID Connect provider that carries users from an old sign-in to a new one."""
