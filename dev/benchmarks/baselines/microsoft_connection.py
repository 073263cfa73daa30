"""The Microsoft provider's connection to the emulator."""

from __future__ import annotations

from dev.benchmarks.baselines.baseline import Connections
from dev.benchmarks.service import Service


def microsoft_connection(service: Service) -> Connections:
    """
    Return the connection; host, authority and hosts that may see the token are all it takes to be pointed elsewhere.

    ``verify`` is the CA file, which httpx and azure-identity both take.
    """
    extra = {
        "tenant_id": service.tenant_id,
        "api_version": "beta",
        "authority": service.url,
        "allowed_hosts": service.address.partition(":")[0],
        "disable_instance_discovery": True,
        "verify": service.ca_file,
    }
    return {
        "msgraph_default": {
            "conn_type": "msgraph",
            "login": service.client_id,
            "password": service.client_secret,
            "schema": "https",
            "host": service.address,
            "extra": extra,
        }
    }
