"""A feature for the engine's tests: its effects are rows of the table `deeds`, made outside our migrations."""
