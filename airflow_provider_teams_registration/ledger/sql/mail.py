"""The ledger of mails in the SQL table that holds the registrations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import sqlalchemy as sa

from airflow_provider_teams_registration.core.mail import MailKind, MailRecord, MailState
from airflow_provider_teams_registration.core.record import RegistrationRecord
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from airflow_provider_teams_registration.ledger.sql.records import checked_rows, row_key, unreadable

_AT_ONCE = 500
_COLUMNS: Mapping[str, str] = {
    "number": "mail_number",
    "message_id": "mail_message_id",
    "fingerprint": "mail_fingerprint",
    "link_key": "mail_link_key",
    "event_start": "mail_event_start",
    "error_code": "mail_error_code",
    "run_key": "mail_run_key",
    "mailed_at": "mailed_at",
}
"""The columns that hold the fields of a record as they are."""
_STATES = frozenset(state.value for state in MailState)
_KINDS = frozenset(kind.value for kind in MailKind)


class SqlMailLedger(SqlLedger):
    """
    Adds the mails to the SQL ledger. A registrant whom the ledger does not hold cannot be noted as mailed.

    Each write is one short transaction that compares the record's version, so of two tasks only one claims a
    registrant.
    """

    def registrations(self, registrants: Sequence[str]) -> dict[str, RegistrationRecord]:
        """Return the registrations of these registrants."""
        return self.load(registrants)

    def everybody(self) -> Iterator[RegistrationRecord]:
        """Return the registrations of the event, in the order in which they came up."""
        columns = self._tables.registrants.c
        query = sa.select(columns.registrant).where(columns.event == self.event)
        query = query.order_by(columns.first_seen, columns.entry_key)
        names = self._transact(lambda connection: [str(name) for (name,) in connection.execute(query)])
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            found = self.load(some)
            yield from (found[name] for name in some if name in found)

    def load_mails(self, registrants: Sequence[str]) -> dict[str, MailRecord]:
        """Return the newest mail of each registrant whom the ledger holds."""
        found: dict[str, MailRecord] = {}
        for start in range(0, len(registrants), _AT_ONCE):
            found |= self._transact(partial(self._read_mails, registrants=registrants[start : start + _AT_ONCE]))
        return found

    def write_mail(self, record: MailRecord) -> MailRecord | None:
        """Write a record in one transaction, unless somebody else changed it since its version was read."""
        return self.write_mails([record])[0]

    def write_mails(self, records: Sequence[MailRecord]) -> list[MailRecord | None]:
        """Write records in one transaction, but for those that somebody else changed since their version was read."""
        return self._transact(partial(self._write_mails, records=records))

    def _write_mails(self, connection: sa.Connection, records: Sequence[MailRecord]) -> list[MailRecord | None]:
        self._hold_fence(connection)
        by_key = {row_key(self.event, record.registrant): record for record in records}
        # All tasks lock in the same order, so that they cannot deadlock.
        stored = {key: self._write_mail(connection, key, by_key[key]) for key in sorted(by_key)}
        return [stored[key] for key in by_key]

    def _write_mail(self, connection: sa.Connection, key: str, record: MailRecord) -> MailRecord | None:
        now = self.now()
        stored = replace(record, run_key=self.run_key, version=record.version + 1, age=0.0)
        if record.state is MailState.MAILED and record.mailed_at is None:
            stored = replace(stored, mailed_at=now)
        values: dict[str, Any] = {column: getattr(stored, name) for name, column in _COLUMNS.items()}
        values["mail_state"] = stored.state.value if stored.state else None
        values["mail_kind"] = stored.kind.value if stored.kind else None
        values["mail_version"] = stored.version
        values["mail_claimed_at"] = now if stored.state is MailState.MAILING else None
        values |= {"key_of_row": key, "version_as_read": record.version}
        if connection.execute(self._update_of_mail, values).rowcount == 1:
            return stored
        before = self._read_mails(connection, [record.registrant]).get(record.registrant)
        # An earlier try of this write may have stored the record, and only the database's answer was lost.
        is_our_own = before is not None and (before.run_key, before.version, before.state, before.message_id) == (
            self.run_key,
            stored.version,
            stored.state,
            stored.message_id,
        )
        return before if is_our_own else None

    @cached_property
    def _update_of_mail(self) -> sa.Update:
        """The statement that writes a record. SQLAlchemy takes longer to build it than the database to execute it."""
        table = self._tables.registrants
        is_as_read = sa.func.coalesce(table.c.mail_version, 0) == sa.bindparam("version_as_read", type_=sa.Integer)
        update = table.update().where(table.c.entry_key == sa.bindparam("key_of_row"), is_as_read)
        names = (*_COLUMNS.values(), "mail_state", "mail_kind", "mail_version", "mail_claimed_at")
        return update.values({name: sa.bindparam(name) for name in names})

    def _read_mails(self, connection: sa.Connection, registrants: Sequence[str]) -> dict[str, MailRecord]:
        table = self._tables.registrants
        names = {row_key(self.event, registrant): registrant for registrant in registrants}
        columns = [table.c[name] for name in ("entry_key", "mail_state", "mail_kind", *_COLUMNS.values())]
        query = sa.select(*columns, table.c.mail_claimed_at, table.c.mail_version)
        rows = checked_rows(table, connection.execute(query.where(table.c.entry_key.in_(list(names)))))
        now = self.now()
        found: dict[str, MailRecord] = {}
        for row in rows:
            if row.mail_state not in (None, *_STATES) or row.mail_kind not in (None, *_KINDS):
                raise unreadable(table, "a mail_state or a mail_kind that this version does not know")
            if row.mail_state is not None and row.mail_kind is None:
                # It would count as a mail of another kind, after which this one is due.
                raise unreadable(table, "a mail_state without a mail_kind")
            registrant = names[row.entry_key]
            fields = {name: getattr(row, column) for name, column in _COLUMNS.items()}
            found[registrant] = MailRecord(
                registrant=registrant,
                state=MailState(row.mail_state) if row.mail_state else None,
                kind=MailKind(row.mail_kind) if row.mail_kind else None,
                version=row.mail_version or 0,
                age=(now - row.mail_claimed_at).total_seconds() if row.mail_claimed_at else 0.0,
                **{**fields, "number": row.mail_number or 0},
            )
        return found
