"""The ids that exist from the start, so that callers can know them in advance."""

from __future__ import annotations

TENANT_ID = "11111111-1111-4111-8111-111111111111"
TENANT_DOMAIN = "emulator.onmicrosoft.com"
CLIENT_ID = "22222222-2222-4222-8222-222222222222"
CLIENT_SECRET = "emulator-client-secret"
REFRESH_TOKEN = "emulator-refresh-token"
ORGANIZER_ID = "33333333-3333-4333-8333-333333333333"
ORGANIZER_EMAIL = "organizer@emulator.example"

# The managed identities of the machine, and what proves to their endpoints that a program runs on it.
SYSTEM_IDENTITY_ID = "44444444-4444-4444-8444-444444444444"
USER_IDENTITY_ID = "44444444-4444-4444-8444-444444444445"
IDENTITY_HEADER = "emulator-identity-header"
ARC_SECRET = "emulator-arc-secret"
ARC_KEY_FILE = "/var/opt/azcmagent/tokens/teams-registration-emulator.key"

MEETING_ID = "MSplbXVsYXRvciowKioxOTptZWV0aW5nX2V2ZXJ5b25lQHRocmVhZC52Mg=="
ORGANIZATION_MEETING_ID = "MSplbXVsYXRvciowKioxOTptZWV0aW5nX29yZ2FuaXphdGlvbkB0aHJlYWQudjI="
CLOSED_MEETING_ID = "MSplbXVsYXRvciowKioxOTptZWV0aW5nX2Nsb3NlZEB0aHJlYWQudjI="

# Ids of the same meetings in the organizer's calendar.
EVENT_ID = "AAMkAGVtdWxhdG9yAAA-everyone="
ORGANIZATION_EVENT_ID = "AAMkAGVtdWxhdG9yAAA-organization="
CLOSED_EVENT_ID = "AAMkAGVtdWxhdG9yAAA-closed="

WEBINAR_ID = f"50000000-0000-4000-8000-000000000001@{TENANT_ID}"
QUESTIONS_WEBINAR_ID = f"50000000-0000-4000-8000-000000000002@{TENANT_ID}"
WAITLIST_WEBINAR_ID = f"50000000-0000-4000-8000-000000000003@{TENANT_ID}"
SMALL_WEBINAR_ID = f"50000000-0000-4000-8000-000000000004@{TENANT_ID}"
APPROVAL_WEBINAR_ID = f"50000000-0000-4000-8000-000000000005@{TENANT_ID}"
DRAFT_WEBINAR_ID = f"50000000-0000-4000-8000-000000000006@{TENANT_ID}"
CANCELED_WEBINAR_ID = f"50000000-0000-4000-8000-000000000007@{TENANT_ID}"

# Questions of the webinar with questions.
TEXT_QUESTION_ID = "q-text"
SINGLE_CHOICE_QUESTION_ID = "q-single-choice"
MULTI_CHOICE_QUESTION_ID = "q-multi-choice"
BOOLEAN_QUESTION_ID = "q-boolean"
JOB_TITLE_QUESTION_ID = "q-job-title"
