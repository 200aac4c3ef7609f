"""The patient's view in the languages of the country: a table, one row for each thing said."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from affinity.accesses import Access, Activity, Notice, View

LANGUAGES = ("en", "fr", "de", "lb")
Row = tuple[str, ...]


def _said(en: str, fr: str, de: str, lb: str) -> Mapping[str, str]:
    return {"en": en, "fr": fr, "de": de, "lb": lb}


COLUMNS: Mapping[str, Mapping[str, str]] = {
    "at": _said("When", "Quand", "Wann", "Wéini"),
    "name": _said("Who", "Qui", "Wer", "Wien"),
    "role": _said("Role", "Fonction", "Funktion", "Funktioun"),
    "organization": _said("Organisation", "Organisation", "Einrichtung", "Organisatioun"),
    "activity": _said("What", "Quoi", "Was", "Wat"),
    "why": _said("Why", "Pourquoi", "Warum", "Firwat"),
    "system": _said("From which system", "Depuis quel système", "Aus welchem System", "Aus wéi engem System"),
}
ACTIVITIES: Mapping[Activity, Mapping[str, str]] = {
    Activity.SEARCHED: _said(
        "looked at the list of documents",
        "a consulté la liste des documents",
        "hat die Liste der Dokumente angesehen",
        "huet d'Lëscht vun den Dokumenter gekuckt",
    ),
    Activity.READ: _said("read documents", "a lu des documents", "hat Dokumente gelesen", "huet Dokumenter gelies"),
    Activity.ADDED: _said(
        "added documents", "a ajouté des documents", "hat Dokumente hinzugefügt", "huet Dokumenter dobäigesat"
    ),
    Activity.CHANGED: _said(
        "corrected what is said of documents",
        "a corrigé la description de documents",
        "hat Angaben zu Dokumenten berichtigt",
        "huet d'Beschreiwung vun Dokumenter verbessert",
    ),
    Activity.REMOVED: _said(
        "removed documents", "a retiré des documents", "hat Dokumente entfernt", "huet Dokumenter ewechgeholl"
    ),
    Activity.LOOKED_UP: _said(
        "looked up who you are",
        "a recherché votre identité",
        "hat Ihre Identität nachgeschlagen",
        "huet Är Identitéit nogekuckt",
    ),
    Activity.FED: _said(
        "sent data about your identity or stay",
        "a transmis des données d'identité ou de séjour",
        "hat Daten zu Ihrer Identität oder Ihrem Aufenthalt gesandt",
        "huet Donnéeën iwwer Är Identitéit oder Ären Openthalt geschéckt",
    ),
    Activity.BROKE_GLASS: _said(
        "opened your record in an emergency",
        "a ouvert votre dossier en urgence",
        "hat Ihre Akte im Notfall geöffnet",
        "huet Är Akt am Noutfall opgemaach",
    ),
    Activity.EXPORTED: _said(
        "exported data", "a exporté des données", "hat Daten exportiert", "huet Donnéeën exportéiert"
    ),
    Activity.OTHER: _said("other", "autre", "anderes", "aneres"),
}
EMERGENCY = _said("EMERGENCY", "URGENCE", "NOTFALL", "NOUTFALL")
REFUSED = _said("refused", "refusé", "abgelehnt", "refuséiert")
REVIEWED = _said("reviewed by the agency", "examiné par l'agence", "von der Agentur geprüft", "vun der Agence gepréift")
UNREVIEWED = _said("not reviewed yet", "pas encore examiné", "noch nicht geprüft", "nach net gepréift")
NOTICE = _said(
    "{who} opened your record in an emergency on {since:%d.%m.%Y %H:%M}, until {until:%d.%m.%Y %H:%M}: {reason}",
    "{who} a ouvert votre dossier en urgence le {since:%d/%m/%Y %H:%M}, jusqu'au {until:%d/%m/%Y %H:%M} : {reason}",
    "{who} hat Ihre Akte im Notfall geöffnet, am {since:%d.%m.%Y %H:%M}, bis {until:%d.%m.%Y %H:%M}: {reason}",
    "{who} huet Är Akt am Noutfall opgemaach, den {since:%d.%m.%Y %H:%M}, bis {until:%d.%m.%Y %H:%M}: {reason}",
)
NOBODY = _said("(a system)", "(un système)", "(ein System)", "(e System)")
INCOMPLETE = _said(
    "There is more: ask for a shorter time.",
    "Il y en a davantage : demandez une période plus courte.",
    "Es gibt mehr: fragen Sie nach einem kürzeren Zeitraum.",
    "Et gëtt méi: frot no engem méi kuerzen Zäitraum.",
)


def heading(language: str) -> Row:
    """The names of the columns."""
    return tuple(each[language] for each in COLUMNS.values())


def row(access: Access, language: str) -> Row:
    """One access, in the order of the columns."""
    what = ACTIVITIES[access.activity][language]
    if access.activity is Activity.OTHER:
        what = f"{what} ({access.event})"
    if access.refused:
        what = f"{what} ({REFUSED[language]})"
    if access.documents:
        what = f"{what}: {', '.join(access.documents)}"
    why = "; ".join(dict.fromkeys(each for each in (*access.purposes, access.reason) if each))
    marked = f"{EMERGENCY[language]} {why}".strip() if access.emergency else why
    at = f"{access.at:%Y-%m-%d %H:%M:%S} UTC"
    return (at, access.name or NOBODY[language], access.role, access.organization, what, marked, access.system)


def sentence(notice: Notice, language: str) -> str:
    """One emergency, as a sentence to the patient."""
    who = notice.name or notice.party
    told = NOTICE[language].format(who=who, since=notice.since, until=notice.until, reason=notice.reason)
    return f"{told} ({(REVIEWED if notice.reviewed else UNREVIEWED)[language]})"


def plain(view: View, language: str) -> dict[str, Any]:
    """The view as JSON: the values, and what the patient reads."""
    return {
        "language": language,
        "complete": view.complete,
        "emergencies": [
            {
                "since": each.since.isoformat(),
                "until": each.until.isoformat(),
                "who": each.name or each.party,
                "reason": each.reason,
                "level": each.level,
                "reviewed": each.reviewed,
                "text": sentence(each, language),
            }
            for each in view.notices
        ],
        "accesses": [_plain(each, language) for each in view.accesses],
    }


def as_csv(accesses: Iterable[Access], language: str) -> str:
    """The accesses as CSV; a cell that a spreadsheet would take for a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heading(language))
    for each in accesses:
        writer.writerow(
            [f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell for cell in row(each, language)]
        )
    return text.getvalue()


def _plain(access: Access, language: str) -> dict[str, Any]:
    return {
        "number": access.number,
        "at": access.at.isoformat(),
        "activity": access.activity.value,
        "event": access.event,
        "name": access.name,
        "role": access.role,
        "organization": access.organization,
        "system": access.system,
        "purposes": list(access.purposes),
        "reason": access.reason,
        "documents": list(access.documents),
        "refused": access.refused,
        "emergency": access.emergency,
        "text": ACTIVITIES[access.activity][language],
    }
