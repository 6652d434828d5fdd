"""Structured logs on stderr: one line an event, JSON in production, text on a terminal, never a secret (S3)."""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.dev import plain_traceback
from structlog.tracebacks import ExceptionDictTransformer

from bot.core.settings import Settings

SECRET_NAMES = re.compile(r"secret|token|password|aes_key|authorization|cookie|corpsecret", re.IGNORECASE)
SECRET_IN_TEXT = re.compile(r"((?:access_token|corpsecret|suite_ticket|msg_signature|code)=)[^&\s\"']+", re.IGNORECASE)


def configure(settings: Settings, part: str) -> None:
    """Set up logging of this process; `part` names it (web, worker, hot, scheduler, up) on every line."""
    json = settings.log_format == "json" or (settings.log_format is None and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        lambda _, __, event: {"part": part, **event},
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask,
    ]
    bare = ExceptionDictTransformer(show_locals=False)  # locals hold secrets and customers' data
    last: list[Any] = (
        [structlog.processors.ExceptionRenderer(bare), structlog.processors.JSONRenderer(ensure_ascii=False)]
        if json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)


def configure_command() -> None:
    """Logs of a command that is over soon: warnings, on stderr, so that its output is on standard output alone."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def mask(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A structlog processor: values under secret names, and secrets inside addresses, become `***`."""
    return {
        name: "***" if SECRET_NAMES.search(name) else _masked(value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _masked(text: str) -> str:
    return SECRET_IN_TEXT.sub(r"\1***", text)
