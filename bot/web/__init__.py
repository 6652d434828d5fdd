"""HTTP and pages: shell, macros, static files, guard, problem documents, cursor pages. It knows no business rule."""
