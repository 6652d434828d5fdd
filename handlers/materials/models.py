"""Tables of the material library. The files lie under `DATA_DIR/uploads`, by the hash of their content."""

from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id


class Material(Base):
    """One upload. kind: image, video or file. size in bytes; digest: SHA-256, hex.

    media_id is WeCom's for the upload of `uploaded_at`; refused says why WeCom did not take it, "" where it did.
    """

    __tablename__ = "materials"
    id: Mapped[Id]
    name: Mapped[str]
    kind: Mapped[str]
    mime: Mapped[str]
    file_name: Mapped[str]
    size: Mapped[Big]
    digest: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[At]
    created_by: Mapped[str]
    media_id: Mapped[str | None]
    uploaded_at: Mapped[At | None]
    refused: Mapped[str]
