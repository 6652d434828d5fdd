"""What a file is, by its content, and how large it may be (wecom.md §3.18). Pure."""

import io

from PIL import Image

MIB = 1024 * 1024
MOST_BYTES = {"image": 10 * MIB, "video": 10 * MIB, "file": 20 * MIB}
LEAST_BYTES = 6  # WeCom takes files of more than 5 bytes
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
MP4_BRANDS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash")


class BadFile(ValueError):
    """The file can't be a material; the text says what was found and what is expected.

    kind: what it would be; size: in bytes, where that is what is wrong with it, else None.
    """

    def __init__(self, text: str, kind: str, size: int | None = None) -> None:
        super().__init__(text)
        self.kind, self.size = kind, size


def kind_of(data: bytes) -> tuple[str, str]:
    """(kind, MIME type) of a file: JPEG and PNG are images, MP4 is video, everything else a file.

    Raises BadFile where it is too small, too large for its kind, or a broken picture.
    """
    kind, mime = _look(data)
    if not LEAST_BYTES <= len(data) <= MOST_BYTES[kind]:
        expected = f"{_named(kind)} has {LEAST_BYTES} to {MOST_BYTES[kind]:,}"
        raise BadFile(f"has {len(data):,} bytes; {expected}", kind, len(data))
    if kind == "image":
        _check_picture(data)
    return kind, mime


def _look(data: bytes) -> tuple[str, str]:
    for head, mime in PICTURES.items():
        if data.startswith(head):
            return "image", mime
    if data[4:8] == b"ftyp" and data[8:12] in MP4_BRANDS:
        return "video", "video/mp4"
    return "file", "application/octet-stream"


def _check_picture(data: bytes) -> None:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            picture.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadFile(f"begins like a picture and is not one: {error}", "image") from None


def _named(kind: str) -> str:
    return {"image": "an image (JPEG or PNG)", "video": "a video (MP4)", "file": "a file"}[kind]
