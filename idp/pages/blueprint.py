"""The one blueprint of hosted pages."""

from flask import Blueprint

blueprint = Blueprint("pages", __name__)

STEP = "/interaction/<token:interaction_id>"
"""Where the steps of an interaction live."""
