"""A feature for tests: pages that use every component, filled with people who do not exist."""
