"""The machine: HTTP, SQL, Redis, WeCom and pages. It knows no business rule."""
