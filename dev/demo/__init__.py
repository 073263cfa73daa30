"""The main job on this machine: emulated Entra and Graph, a SQLite warehouse, a local mail sink, real Airflow."""
