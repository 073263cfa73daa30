"""What people would write today, each as somebody competent would, and this provider."""

from __future__ import annotations

from benchmarks.rivals import hook_gather, httpx_batch, mapped_http, mapped_msgraph, official_sdk, ours

RIVALS = (
    mapped_msgraph.RIVAL,
    mapped_http.RIVAL,
    hook_gather.RIVAL,
    hook_gather.AS_WIDE,
    official_sdk.RIVAL,
    official_sdk.AS_WIDE,
    httpx_batch.RIVAL,
    httpx_batch.AS_WIDE,
    httpx_batch.READS_FIRST,
    ours.RIVAL,
    ours.WITH_SQL_LEDGER,
)
# Those that differ when something goes wrong; of ways that differ only in how wide they are, one.
HARMED = (
    mapped_msgraph.RIVAL,
    mapped_http.RIVAL,
    hook_gather.AS_WIDE,
    official_sdk.AS_WIDE,
    httpx_batch.RIVAL,
    httpx_batch.READS_FIRST,
    ours.WITH_SQL_LEDGER,
)
