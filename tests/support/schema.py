"""Every model, loaded, so that the metadata is whole."""

from idp.accounts.account import Account
from idp.audit.models import AuditChain, AuditEvent
from idp.challenges.challenge import Challenge
from idp.challenges.sms import SmsConversion
from idp.clients.client import Client
from idp.clients.registration_tokens import RegistrationToken
from idp.clients.subjects import PairwiseSalt
from idp.delivery.models import OutboxMessage
from idp.flow.alerts import Alert
from idp.flow.interaction import Interaction
from idp.grants.consents import Consent
from idp.grants.models import AuthorizationCode, ClientToken
from idp.keys.models import SigningKey
from idp.legacy.copies import LegacyLoad, LegacyRow
from idp.migration.invitations import Invitation
from idp.migration.models import CampaignDay, CampaignPause, MigrationCase, ReminderStop
from idp.security.throttle import Throttle
from idp.security.versions import CacheVersion
from idp.sessions.logout_notices import LogoutNotice
from idp.sessions.models import Authentication

MODELS_LOADED = (
    *(Account, Challenge, Client, OutboxMessage, Interaction, AuthorizationCode, SigningKey),
    *(Alert, AuditChain, AuditEvent, SmsConversion, MigrationCase, Throttle),
    *(CacheVersion, Authentication, CampaignDay, CampaignPause, LegacyLoad, LegacyRow),
    *(
        ClientToken,
        Consent,
        Invitation,
        LogoutNotice,
        PairwiseSalt,
        RegistrationToken,
        ReminderStop,
    ),
)
