"""Errors that cross rooms. Expected outcomes are result values, never these."""


class PageError(Exception):
    """A request that no page can go on from; shown as a page with a reference number.

    `status` is 400, 410 or 429; `message` is a constant French msgid;
    `return_to` is a trusted way back, or None.
    """

    def __init__(self, message: str, *, status: int = 400, return_to: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.return_to = return_to


class ConfigurationError(Exception):
    """The deployment cannot run as configured; the message is one line that says what to do."""
