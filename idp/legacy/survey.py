"""Taking stock of an old system: what is in its rows, and who could not come with their old password."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from idp.accounts.addresses import EmailAddress, folded, parse_email
from idp.accounts.phones import PhoneProblem, parse_phone
from idp.legacy import hashes
from idp.legacy.copies import lookup_key
from idp.legacy.recurring import Recurring
from idp.legacy.rows import LONGEST_KEY, Row
from idp.legacy.source import Person

Detail = Callable[[str, str, int | None], None]
"""Told each problem, the key of the row that has it, and the number of what several rows have in common."""

BARS_THE_WAY = (
    *("no key", "key too long", "key twice", "no identifier", "identifier twice"),
    *("no password hash", "unsupported hash", "no contact"),
)
"""Who has one of these cannot come with an old password. All others can, and choose an address there."""
OTHERS = ("invalid address", "one person twice", "shared address", "invalid phone")


@dataclass(frozen=True)
class Measure:
    """What rows are measured by: the scheme of hashes that name none, whether the case of identifiers
    counts, which phone numbers can be used, whether rows say how they are called at all (`named`), and
    whether the source asks for a code to the contact on record (`reached`)."""

    scheme: str
    case_sensitive: bool
    region: str
    countries: tuple[str, ...]
    named: bool = True
    reached: bool = False


@dataclass
class Survey:
    """Numbers of rows. `shared`: how many people have an address in common, to how many such addresses;
    `could_be`: schemes that an unsupported hash could be of, once the source names one of them."""

    rows: int = 0
    locked: int = 0
    must_change: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    hashes: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    phones: Counter[str] = field(default_factory=Counter)
    shared: Counter[int] = field(default_factory=Counter)
    could_be: Counter[str] = field(default_factory=Counter)

    @property
    def sound(self) -> bool:
        """True when nothing has to be looked at."""
        return not any(self.problems.values())


def take(rows: Iterable[Row], measure: Measure, detail: Detail) -> Iterator[Survey]:
    """Go through all rows: what is known after each of them, and in the end what only all of them tell."""
    survey = Survey()
    with Recurring() as recurring:
        for row in rows:
            survey.rows += 1
            _look_at(row, measure, survey, recurring, detail)
            yield survey
        _count_recurring(recurring, survey, detail)
    yield survey


def scheme_of(row: Row, scheme: str) -> str | None:
    """How a row's password was hashed; None: in no way that can be verified."""
    named = row.scheme or scheme
    if named == "auto":
        return hashes.identify(row.password_hash)
    known = named in hashes.SCHEMES and hashes.fits(row.password_hash, named)
    return named if known else None


def _look_at(
    row: Row, measure: Measure, survey: Survey, recurring: Recurring, detail: Detail
) -> None:
    person = row.person
    survey.locked += person.locked
    survey.must_change += person.must_change
    address = parse_email(person.email) if person.email.strip() else None
    problems = [*_of_name(person, measure), *_of_hash(row, measure, survey)]
    if person.email.strip() and address is None:
        problems.append("invalid address")
    number = _phone(person, measure, survey)
    if number is PhoneProblem.INVALID:
        problems.append("invalid phone")
    if measure.reached and address is None and not isinstance(number, str):
        problems.append("no contact")
    for problem in problems:
        survey.problems[problem] += 1
        detail(problem, person.key, None)
    for name in _missing(row):
        survey.missing[name] += 1
    _remember(person, address, measure, recurring)


def _of_name(person: Person, measure: Measure) -> Iterator[str]:
    if not person.key:
        yield "no key"
    if len(person.key) > LONGEST_KEY:
        yield "key too long"
    if measure.named and not person.identifier.strip():
        yield "no identifier"


def _of_hash(row: Row, measure: Measure, survey: Survey) -> Iterator[str]:
    if not row.password_hash:
        yield "no password hash"
        return
    scheme = scheme_of(row, measure.scheme)
    survey.hashes[scheme or "unsupported"] += 1
    if scheme is None:
        alike = hashes.candidates(row.password_hash, salted=bool(row.salt))
        survey.could_be.update([", ".join(alike)] if alike else [])
        yield "unsupported hash"


def _phone(person: Person, measure: Measure, survey: Survey) -> str | PhoneProblem | None:
    if not person.phone.strip():
        return None
    number = parse_phone(person.phone, region=measure.region, countries=measure.countries)
    survey.phones[number.value if isinstance(number, PhoneProblem) else "usable"] += 1
    return number


def _missing(row: Row) -> Iterator[str]:
    person = row.person
    texts = {"email": person.email, "phone": person.phone, **vars(person.profile)}
    return (name for name, value in texts.items() if not value)


def _remember(
    person: Person, address: EmailAddress | None, measure: Measure, recurring: Recurring
) -> None:
    key, identifier = person.key, person.identifier.strip()
    if key:
        recurring.see("key", key, key=key)
    if identifier:
        same = identifier if measure.case_sensitive else lookup_key(identifier)
        recurring.see("identifier", same, key=key)
    if address:
        recurring.see("address", address.key, key=key, who=_who(person))


def _who(person: Person) -> str:
    """What tells people apart who have one address: name and birth date, or the row where it has neither."""
    profile = person.profile
    name = folded(f"{profile.given_name}\n{profile.family_name}")
    return f"{name}\n{profile.birthdate}" if name.strip() else person.key


def _count_recurring(recurring: Recurring, survey: Survey, detail: Detail) -> None:
    for kind in ("key", "identifier"):
        for one in recurring.found(kind):
            survey.problems[f"{kind} twice"] += 1
            detail(f"{kind} twice", one.key, one.number)
    last = None
    for one in recurring.found("address"):
        problem = "shared address" if one.people > 1 else "one person twice"
        survey.problems[problem] += 1
        detail(problem, one.key, one.number)
        if one.people > 1 and one.number != last:
            survey.shared[one.people] += 1
        last = one.number
