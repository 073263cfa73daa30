"""From an Airflow connection to the Graph client."""
