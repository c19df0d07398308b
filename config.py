"""Settings: the one declaration of every option of a deployment.

Each option is read from the environment variable `IDP_<NAME>` (or from the file named by
`IDP_ENV_FILE`). The descriptions below are the documentation: `docs/configuration.md` is made
from them.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_origin

from pydantic import (
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from idp.options import (
    Country,
    DocumentUrl,
    Duration,
    GatewayUrl,
    Issuer,
    ListUrl,
    Locale,
    SenderAddress,
    Timezone,
    Weakness,
    has_sms,
)


class Settings(BaseSettings):
    """Every option, with its default, its unit and the reason for the number."""

    model_config = SettingsConfigDict(
        env_prefix="IDP_",
        env_file=os.environ.get("IDP_ENV_FILE"),
        env_ignore_empty=True,
        dotenv_filtering="match_prefix",
        extra="forbid",
        frozen=True,
    )

    # -- Deployment ---------------------------------------------------------------------------
    issuer: Issuer = Field(
        "http://localhost:8000",
        description="Public base URL, without a trailing slash: the `iss` of every token, with the "
        "host in lower case and without a default port (both are corrected). Plain http is accepted "
        "for localhost only.",
    )
    database_url: str = Field(
        "sqlite:///seuil.db",
        description="SQLAlchemy URL. SQLite suits one machine; use "
        "`postgresql+psycopg://…` for more than one.",
    )
    kek_file: Path = Field(
        Path("keys/kek.json"),
        description="Key-encryption key of the deployment, the same on every node.",
    )
    legacy_sources: Path | None = Field(
        None, description="TOML file that lists the old user stores. None: nobody migrates."
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="Number of reverse proxies whose `X-Forwarded-*` headers are believed.",
    )
    worker: Literal["inline", "external"] = Field(
        "inline",
        description="`inline`: this process delivers messages itself (single node). "
        "`external`: `idp worker` does it.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe level that is written to stderr, as JSON lines."
    )
    default_locale: Locale = Field(
        "fr", description="Language of pages and messages when the browser asks for none we have."
    )
    timezone: Timezone = Field(
        "Europe/Zurich", description="Time zone of the times that pages show, by its IANA name."
    )
    support_contact: str = Field(
        "", description="Where users find help: a sentence or an address, shown on every page."
    )

    # -- Delivery -----------------------------------------------------------------------------
    delivery_routes: Path | None = Field(
        None,
        description="TOML file with `[[mail]]` and `[[sms]]` routes (docs/delivery.md); it takes the "
        "place of `IDP_SMTP_*` and `IDP_SMS_URL`. None: these make one route each.",
    )
    smtp_host: str = Field("localhost", description="Mail submission host.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Mail submission port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="`none` is accepted for a loopback host only; certificates are verified.",
    )
    smtp_username: str = Field("", description="Empty: no authentication.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password for `smtp_username`.")
    smtp_timeout: Duration = Field(
        timedelta(seconds=10),
        description="Seconds for one whole message, from the connection to the server's last answer.",
    )
    smtp_idle: Duration = Field(
        timedelta(seconds=30),
        description="Seconds for which an SMTP connection is kept for the next message.",
    )
    mail_from: SenderAddress = Field(
        "no-reply@localhost", description="Sender address of every e-mail."
    )
    mail_from_name: str = Field(
        "e-services",
        description="Sender name of every e-mail, and the name at the head of the pages where an application "
        "is somebody else's.",
    )
    mail_envelope_from: SenderAddress | Literal[""] = Field(
        "",
        description="Address in the envelope, where bounces go (RFC 5321). Empty: `mail_from`.",
    )
    sms_url: GatewayUrl = Field(
        "",
        description="HTTP gateway that sends SMS: receives POST JSON `{to, text}` and answers "
        "2xx. Empty: the phone step is left out and codes go by e-mail.",
    )
    sms_token: SecretStr = Field(
        SecretStr(""), description="Bearer token for the SMS gateway. Empty: none is sent."
    )
    sms_timeout: Duration = Field(
        timedelta(seconds=10),
        description="Seconds for one whole message before an SMS gateway counts as dead.",
    )
    sms_rounds: int = Field(
        2,
        ge=1,
        le=10,
        description="How often all gateways are tried, a second apart, before a code by SMS is given "
        "up and a sign-in code goes by e-mail instead: nobody waits long for a dead gateway.",
    )
    phone_region: Country = Field(
        "CH",
        description="Country (ISO 3166) assumed for a number typed without its country code.",
    )
    sms_countries: Annotated[tuple[Country, ...], NoDecode] = Field(
        ("CH", "LI", "FR", "DE", "AT", "IT", "BE", "LU", "MC"),
        min_length=1,
        description="Countries whose numbers may be given; others are refused, because fraud "
        "rings earn money on messages to far countries (SMS pumping).",
    )
    sms_limit_prefix: int = Field(
        2000,
        ge=1,
        description="SMS to one country calling code in a day, to enrol numbers and to verified ones "
        "each: more than a busy day needs. Beyond it codes go by e-mail.",
    )
    sms_limit_day: int = Field(
        5000,
        ge=1,
        description="SMS in a day in all, of which enrolment may take half: the most that a day may "
        "cost. Beyond it codes go by e-mail.",
    )
    sms_watch_window: Duration = Field(
        timedelta(hours=24),
        le=timedelta(days=7),
        description="Over how long the codes sent to a country are held against those used.",
    )
    sms_watch_least: int = Field(
        50, ge=1, description="Messages to a country before it is judged by how many were used."
    )
    sms_watch_share: int = Field(
        20,
        ge=0,
        le=100,
        description="Percent of the codes to a country that must be used, or no more are sent there "
        "until `idp sms allow`: people use most of theirs, SMS pumping hardly any. 0: never stop.",
    )
    sms_watch_people: int = Field(
        5,
        ge=1,
        description="So many people must have left codes to a country unused before it is stopped: each of "
        "them is held to the limits of one person, and must not end SMS for all others.",
    )
    outbox_poll: Duration = Field(
        timedelta(milliseconds=100), description="How often an idle worker looks for messages."
    )
    outbox_lease: Duration = Field(
        timedelta(seconds=60),
        description="How long a worker owns a message that it is sending; more than the time-outs of "
        "all its routes together and 5 seconds, so that no message is sent by two workers.",
    )

    # -- One-time codes (NIST SP 800-63B-4, 3.1.3) ----------------------------------------------
    code_digits: int = Field(6, ge=6, le=10, description="Digits of a one-time code.")
    code_lifetime: Duration = Field(
        timedelta(minutes=10), le=timedelta(minutes=10), description="A code is good this long."
    )
    code_tries: int = Field(
        5, ge=1, le=10, description="Wrong codes before the person has to wait for a new one."
    )
    code_tries_in_a_row: int = Field(
        100,
        ge=10,
        le=100,
        description="Wrong codes in a row, over any time, before an account needs recovery.",
    )
    resend_after: Duration = Field(
        timedelta(seconds=30), description="Shortest time between two messages of one code."
    )
    resend_minimum_life: Duration = Field(
        timedelta(minutes=3),
        description="A resend with less life left than this opens a fresh code instead.",
    )
    send_limit_short: int = Field(
        5,
        ge=1,
        description="Codes sent to one destination in 15 minutes; those to enrol it and those to "
        "whoever has it verified are counted apart.",
    )
    send_limit_day: int = Field(
        20, ge=1, description="Codes sent to one destination in a day, counted apart likewise."
    )
    send_spread: int = Field(
        3,
        ge=1,
        description="How many times these limits one person's codes to all destinations together, "
        "and all persons' codes to one new destination, may take.",
    )

    send_limit_network: int = Field(
        60,
        ge=1,
        description="Codes to enrol addresses and numbers, and to recover accounts, sent at the wish of one "
        "network (/24 of IPv4, /64 of IPv6) in 15 minutes.",
    )
    send_limit_network_day: int = Field(
        600, ge=1, description="The same in a day: a town hall that helps its citizens needs many."
    )

    # -- Passwords (NIST SP 800-63B-4, ANSSI, CNIL) ----------------------------------------------
    password_min: int = Field(12, ge=8, description="Shortest password, in characters.")
    password_max: int = Field(128, ge=64, le=1024, description="Longest password, in characters.")
    password_strength: int = Field(
        3, ge=0, le=4, description="Lowest zxcvbn score that is accepted (0 to 4)."
    )
    password_words: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Words of the organisation that people would make a password of, such as its name "
        "and its town; refused like common words. The issuer's host and `mail_from_name` are known.",
    )
    password_range_url: ListUrl = Field(
        "",
        description="List of leaked passwords that answers by k-anonymity, such as "
        "`https://api.pwnedpasswords.com/range`: it sees the first 5 characters of a SHA-1. Empty: "
        "none is asked.",
    )
    password_range_timeout: Duration = Field(
        timedelta(seconds=1),
        le=timedelta(seconds=5),
        description="Seconds before the list counts as silent; the password is then taken without it.",
    )
    argon2_memory: int = Field(
        19456, ge=8, description="argon2id memory in KiB (OWASP minimum: 19 MiB, about 22 ms)."
    )
    argon2_time: int = Field(2, ge=1, description="argon2id passes.")
    argon2_parallelism: int = Field(1, ge=1, description="argon2id lanes.")
    sign_in_floor: timedelta = Field(
        timedelta(milliseconds=400),
        ge=timedelta(0),
        description="A failed sign-in is answered no sooner, whoever it was for, so that its "
        "time tells nothing.",
    )
    sign_in_slots: int = Field(
        4,
        ge=1,
        description="Sign-ins that one process checks, or holds back until the floor, at a time; "
        "beyond it everybody is asked to try again at once. Half of its threads (`idp run "
        "--threads`), so that the others still answer.",
    )
    wrong_passwords_free: int = Field(
        5,
        ge=1,
        description="Wrong passwords before a delay, per identifier and network (/24 of IPv4, /64 "
        "of IPv6).",
    )
    wrong_passwords_account: int = Field(
        20,
        ge=1,
        description="Wrong passwords before a delay, per identifier, from all networks together. "
        "Browsers that have signed in to the account before are counted apart, so that strangers "
        "cannot hold up its owner.",
    )
    wrong_passwords_network: int = Field(
        100,
        ge=1,
        description="Wrong passwords, and wishes to recover, each, before a delay, per network and window "
        "(four times that per /48 of IPv6): more than the people behind one company's or operator's "
        "address mistype.",
    )
    wrong_passwords_everywhere: int = Field(
        5000,
        ge=1,
        description="Wrong passwords before a delay, from everybody together in a window; only an "
        "attack from very many addresses comes so far. Known browsers pass.",
    )
    wrong_passwords_window: Duration = Field(
        timedelta(minutes=10),
        description="After so long the wrong passwords of a network, and of everybody, are "
        "forgotten.",
    )
    wrong_password_delay: Duration = Field(
        timedelta(seconds=30),
        description="Longest delay between tries. It grows from 1 second, doubling; there is "
        "never a lock that others could cause.",
    )

    known_browser_lifetime: Duration = Field(
        timedelta(days=180),
        description="How long a browser is known after a sign-in, if the account stays as it is.",
    )

    contacts_held: Duration = Field(
        timedelta(hours=72),
        description="After a recovery the contacts stay as they are for so long, so that whoever "
        "recovered it wrongly cannot lock the owner out.",
    )
    alert_lifetime: Duration = Field(
        timedelta(days=7), description="How long the link « this was not me » of a notice works."
    )

    # -- Interactions and sessions (NIST SP 800-63B-4 AAL2) ---------------------------------------
    interaction_lifetime: Duration = Field(
        timedelta(minutes=60), description="Time to finish signing in, from the first page."
    )
    interactions_per_network: int = Field(
        300,
        ge=1,
        description="Sign-ins begun from one network (/24 of IPv4, /64 of IPv6) in 10 minutes: anybody "
        "can make us keep up to 16 KB for an hour. A living session needs none.",
    )
    case_lifetime: Duration = Field(
        timedelta(days=30), description="How long an unfinished migration keeps its choices."
    )
    migration_conflicts: Literal["same-person", "refuse"] = Field(
        "same-person",
        description="Who proves an address that is an account's already chooses another. `same-person`: or "
        "gives that account the old identity too, after a whole sign-in to it, if name and birth date agree.",
    )
    invitation_lifetime: Duration = Field(
        timedelta(days=7),
        description="How long the code of an invitation works: support reads it out on the telephone, and "
        "people rarely have their papers at hand.",
    )
    reminders: bool = Field(
        False,
        description="Whether the worker writes to people who proved an address and stopped half-way: "
        "after 2 days, at most once a week, at most 3 times. Else `idp campaign remind` does.",
    )
    session_idle: Duration = Field(
        timedelta(minutes=30), description="A browser session ends after so much silence."
    )
    account_fresh: Duration = Field(
        timedelta(minutes=10),
        description="The pages where people change their account ask for both factors again after "
        "so long, so that an open browser is not enough to take an account over.",
    )
    session_lifetime: Duration = Field(
        timedelta(hours=12), description="A browser session ends this long after sign-in."
    )

    # -- Tokens -----------------------------------------------------------------------------------
    authorization_code_lifetime: Duration = Field(
        timedelta(seconds=60),
        le=timedelta(minutes=10),
        description="Seconds to redeem an authorization code (FAPI 2.0, RFC 9700).",
    )
    access_token_lifetime: Duration = Field(
        timedelta(minutes=10), le=timedelta(days=1), description="Life of an access token."
    )
    id_token_lifetime: Duration = Field(timedelta(minutes=10), description="Life of an ID token.")
    refresh_token_idle: Duration = Field(
        timedelta(days=30), description="A refresh token unused for so long is dead."
    )
    refresh_token_lifetime: Duration = Field(
        timedelta(days=180), description="A refresh token family ends after so long in all."
    )

    # -- Audit and personal data ------------------------------------------------------------------
    audit_kept: Duration = Field(
        timedelta(days=400),
        description="How long audit events are kept: a year, and time to look back at it.",
    )
    audit_stdout: Literal["none", "heads", "events"] = Field(
        "heads",
        description="What the worker writes to stdout as JSON lines, for a collector elsewhere that "
        "nobody here can alter: `heads`, the end of the chain after each batch that was sealed; "
        "`events`, each sealed event before it as well.",
    )
    finished_case_kept: Duration = Field(
        timedelta(days=400),
        description="How long the remainder of a finished migration (its reference, whose it was; "
        "no choices) is kept, so that support finds it and audit events can be read.",
    )
    outbox_kept: Duration = Field(
        timedelta(days=7),
        description="How long the trace of a message (masked recipient, outcome; no text) is kept "
        "after it could have been delivered.",
    )

    # -- Terms of the deployment --------------------------------------------------------------------
    terms_version: str = Field(
        "",
        max_length=50,
        pattern=r"^[\w.-]*$",
        description="Version of the terms and the privacy notice, such as `2026-01`. After signing in, "
        "everybody accepts it once before a relying party gets anything; a new version is asked again. "
        "Empty: nobody is asked.",
    )
    terms_url: DocumentUrl = Field(
        "",
        description="Where the terms of use are; `{locale}` in it becomes `fr` or `en`. On every page, and "
        "in the provider's metadata (`op_tos_uri`).",
    )
    privacy_url: DocumentUrl = Field(
        "",
        description="Where the privacy notice is, likewise (`op_policy_uri`). A version needs one of them.",
    )

    # -- Relying parties --------------------------------------------------------------------------
    weaker_clients: Annotated[tuple[Weakness, ...], NoDecode] = Field(
        (),
        description="What a registration may ask for though RFC 9700 advises against it: `no-pkce` "
        "(a confidential client without code_challenge; for what registers itself its registration token "
        "asks), `unsigned-requests` (request objects whose `alg` is none). Registrations that ask for it do "
        "not work without.",
    )
    client_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        (),
        description="Private networks, such as `10.1.0.0/16`, that addresses of registrations (`jwks_uri`) may "
        "lead to; others than public ones are refused, so that nobody makes the provider ask its neighbours.",
    )
    registration: Literal["off", "token", "open"] = Field(
        "off",
        description="Whether applications may register themselves (RFC 7591): `token`, with one that `idp "
        "clients registration-token` makes; `open`, anybody. Each can lead people who follow a link of "
        "ours to an address of its own.",
    )
    registrations_per_network: int = Field(
        20,
        ge=1,
        description="Applications that one network (/24 of IPv4, /64 of IPv6) may register in an hour without "
        "a token, and changes that it may make to any.",
    )
    registrations_per_day: int = Field(
        100,
        ge=1,
        description="Applications that everybody together may register in a day without a token, and one "
        "network (/24 of IPv4, /48 of IPv6) a quarter of them; each process holds all.",
    )
    registration_unused: Duration = Field(
        timedelta(days=30),
        description="An application that was registered without a token goes when nobody has signed in there "
        "for so long.",
    )
    client_timeout: Duration = Field(
        timedelta(seconds=3),
        le=timedelta(seconds=20),
        description="How long the address of a registration may take to answer; 20 seconds at most, so that "
        "telling of a logout, which may have to ask for keys first, ends within the minute that it is given.",
    )

    # -- Signing keys -----------------------------------------------------------------------------
    key_rotation: Duration = Field(
        timedelta(days=90), description="A signing key signs for so long."
    )
    key_publication: Duration = Field(
        timedelta(days=14),
        description="A key is published so long before it signs and after it has signed, so "
        "that relying parties may cache; no less than what it signs is of use: tokens, and hints of sessions.",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_people_write(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A plain number is so many seconds; a list may be separated by commas."""
        return {name: _plain(cls.model_fields.get(name), value) for name, value in values.items()}

    @field_validator("outbox_lease")
    @classmethod
    def _lease_outlives_its_sending(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        for name in ("smtp_timeout", "sms_timeout"):
            if name in info.data and value <= 2 * info.data[name]:
                raise ValueError(f"must be more than twice IDP_{name.upper()}")
        return value

    @field_validator("key_publication")
    @classmethod
    def _key_outlives_what_it_signs(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if value < timedelta(hours=12):
            raise ValueError(
                "must be no less than 12 hours: tokens for resource servers may live so long"
            )
        for name in ("session_lifetime", "id_token_lifetime", "access_token_lifetime"):
            if name in info.data and value < info.data[name]:
                raise ValueError(f"must be no less than IDP_{name.upper()}")
        return value

    @field_validator("password_max")
    @classmethod
    def _some_length_is_right(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("password_min", 0):
            raise ValueError("is less than IDP_PASSWORD_MIN: no password would be right")
        return value

    @model_validator(mode="after")
    def _what_is_accepted_can_be_read(self) -> Self:
        if self.terms_version and not (self.terms_url or self.privacy_url):
            raise ValueError("IDP_TERMS_VERSION needs IDP_TERMS_URL or IDP_PRIVACY_URL")
        return self

    @property
    def secure(self) -> bool:
        """True when users reach us over https, so cookies carry `Secure` and `__Host-`."""
        return self.issuer.startswith("https://")

    @property
    def sms_enabled(self) -> bool:
        """True when there is a gateway that can send SMS."""
        return has_sms(self.delivery_routes) if self.delivery_routes else bool(self.sms_url)


def _plain(field: FieldInfo | None, value: Any) -> Any:
    if field is None or not isinstance(value, str):
        return value
    if field.annotation is timedelta and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    if get_origin(field.annotation) is tuple:
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value
