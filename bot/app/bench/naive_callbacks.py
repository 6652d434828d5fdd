"""Frozen: callbacks as the documentation of Flask, wechatpy and SQLAlchemy would have one take them. Never tuned.

`ingest` keeps a row and answers; `welcome` also reads the customer and welcomes her before it answers, two calls like
ours (the trial it stands for, trials/welcome.py, made one); `hello` is the limit: it reads the body and answers.
Served by gunicorn (gthread) or Granian as `bot.app.bench.naive_callbacks:NAME`.
"""

import hashlib
import os
from datetime import UTC, datetime

from flask import Flask, request
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from wechatpy.work import WeChatClient, parse_message
from wechatpy.work.crypto import WeChatCrypto

from bot.app.bench.callbacks import AES_KEY, CORP, PATH, TOKEN

DATABASE, API = "BENCH_DATABASE_URL", "BENCH_WECOM_API"
SECRET = "bench"


class Base(DeclarativeBase):
    """The naive tables."""


class NaiveCallback(Base):
    """A callback that was answered."""

    __tablename__ = "naive_callbacks"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str]
    kind: Mapped[str]
    body: Mapped[str]
    received_at: Mapped[datetime]


class Client(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy's client at the bench's address instead of WeCom's."""

    API_BASE_URL = os.environ.get(API, "")

    def fetch_access_token(self) -> object:
        """The token, for which wechatpy names WeCom's own address."""
        url = f"{self.API_BASE_URL}gettoken"
        return self._fetch_access_token(url=url, params={"corpid": self.corp_id, "corpsecret": self.secret})


ingest, welcome, hello = Flask("ingest"), Flask("welcome"), Flask("hello")
engine = create_engine(os.environ.get(DATABASE, "postgresql+psycopg://"))
crypto = WeChatCrypto(TOKEN, AES_KEY, CORP)
client = Client(CORP, SECRET)


@ingest.post(PATH)
def keep() -> str:
    """Keep the callback."""
    xml = crypto.decrypt_message(
        request.data, request.args["msg_signature"], request.args["timestamp"], request.args["nonce"]
    )
    message = parse_message(xml)
    row = NaiveCallback(
        digest=hashlib.sha256(xml.encode()).hexdigest(), source="contact", kind=message.event, body=xml,
        received_at=datetime.now(UTC),
    )  # fmt: skip
    with Session(engine) as session:
        session.add(row)
        try:
            session.commit()
        except IntegrityError:
            session.rollback()
    return ""


@welcome.post(PATH)
def keep_and_greet() -> str:
    """Keep the callback, ask who she is, welcome her."""
    said = keep()
    xml = crypto.decrypt_message(
        request.data, request.args["msg_signature"], request.args["timestamp"], request.args["nonce"]
    )
    message = parse_message(xml)._data
    who = client.external_contact.get(message["ExternalUserID"])["external_contact"]
    text = {"content": f"很高兴认识{who['name']}！有什么需要，随时在这里找我。"}
    client.external_contact.send_welcome_msg({"welcome_code": message["WelcomeCode"], "text": text})
    return said


@hello.post(PATH)
def read() -> str:
    """Read the body."""
    request.get_data()
    return ""
