"""The engine: people and an event in, one honest row per person out. It knows neither Airflow nor HTTP."""
