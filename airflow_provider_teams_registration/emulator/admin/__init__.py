"""The admin API below ``/emulator``, its OpenAPI description, and the page at ``/``."""
