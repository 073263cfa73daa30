"""How the emulated service behaves: switches, faults, limits, delays and spellings."""
