"""The ground every room stands on: settings, clock, money, database, events, jobs. It imports no other room."""
