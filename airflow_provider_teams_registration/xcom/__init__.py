"""Rows as Airflow stores them: masked fields, limits, serialization, and what a task pushes."""
