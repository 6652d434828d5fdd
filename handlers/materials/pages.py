"""Materials for operators' eyes: the file itself, as an attachment, from our own address."""

from flask import Response, send_file

from bot.web.edge import installation, session
from bot.web.guard import needs
from bot.web.pages import pages
from handlers.materials import service

console = pages("materials", __name__)


@console.get("/materials/<int:material_id>/file")
@needs("materials:read")
def file(material_id: int) -> Response:
    """Downloaded, never shown in place: what people upload runs nowhere."""
    material = service.get(session(), material_id)
    where = service.path_of(installation(), material).resolve()
    return send_file(where, material.mime, as_attachment=True, download_name=material.file_name)
