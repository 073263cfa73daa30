"""What people would write today, each as somebody competent would, and this provider."""

from __future__ import annotations

from benchmarks.rivals import hook_gather, httpx_batch, mapped_http, mapped_msgraph, official_sdk, ours

RIVALS = (
    mapped_msgraph.RIVAL,
    mapped_http.RIVAL,
    hook_gather.RIVAL,
    official_sdk.RIVAL,
    httpx_batch.RIVAL,
    ours.RIVAL,
)
