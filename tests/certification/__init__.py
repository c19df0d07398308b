"""The plans of the OpenID Foundation's suite, run against this provider: docs/conformance.md tells how."""
