"""What people would write today, each as somebody competent would, and this provider."""

from __future__ import annotations

from dev.benchmarks.baselines import hook_gather, httpx_batch, mapped_http, mapped_msgraph, official_sdk, ours

BASELINES = (
    mapped_msgraph.BASELINE,
    mapped_http.BASELINE,
    hook_gather.BASELINE,
    hook_gather.AS_WIDE,
    official_sdk.BASELINE,
    official_sdk.AS_WIDE,
    httpx_batch.BASELINE,
    httpx_batch.AS_WIDE,
    httpx_batch.READS_FIRST,
    ours.BASELINE,
    ours.WITH_SQL_LEDGER,
)
# Those that differ when something goes wrong; of ways that differ only in how wide they are, one.
HARMED = (
    mapped_msgraph.BASELINE,
    mapped_http.BASELINE,
    hook_gather.AS_WIDE,
    official_sdk.AS_WIDE,
    httpx_batch.BASELINE,
    httpx_batch.READS_FIRST,
    ours.WITH_SQL_LEDGER,
)
