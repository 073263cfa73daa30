"""The triggers of the deferrable sensors."""
