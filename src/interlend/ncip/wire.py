"""From the bytes of the network to a tree of XML: what wraps them taken off, what is broken mended where that is safe.

Strategy: parse at once, since nearly every message is well formed; only when that fails look for the damage that real
peers do (undeclared encodings, bare ampersands and brackets, stray control characters, undeclared prefixes, end tags
cut off by a wrong Content-Length, text around the document) and parse once more. Nothing is fetched, no entity is
expanded, size and depth are bounded.
"""

from __future__ import annotations

import codecs
import html
import html.entities
import re
import threading
from typing import Final, NoReturn
from urllib.parse import unquote_to_bytes

from lxml import etree

from interlend.ncip.errors import ProtocolError
from interlend.ncip.grammar import NAMESPACE

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 48

_SPACE: Final = b" \t\r\n"
_WIDE: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_TOO_DEEP: Final = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")

_DECLARATION: Final = re.compile(r"<\?xml\s[^<>]{0,300}\?>")
# A document type that names no entities: whatever else is wrong with it, it says nothing that a message needs.
_DOCTYPE: Final = re.compile(r"<!DOCTYPE\s[^<>\[\]]{0,600}>", re.IGNORECASE)
_GOOD_DOCTYPE: Final = re.compile(
    r"""<!DOCTYPE\s+[\w.:-]+(?:\s+(?:SYSTEM|PUBLIC\s+(?:"[^"]*"|'[^']*'))\s+(?:"[^"]*"|'[^']*'))?\s*>"""
)
_ENCODING: Final = re.compile(r"""<\?xml\s[^<>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CONTROLS: Final = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CHARACTER: Final = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}));")
_AMPERSAND: Final = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,8}|#x[0-9A-Fa-f]{1,8});)(?:([A-Za-z][A-Za-z0-9]{1,30});)?"
)
# “<” that begins no tag, and the tags whose names begin with a small letter: no element of NCIP's does.
_BRACKET: Final = re.compile(r"<(?![A-Za-z_/!?]|\Z)|<(/?)((?:[A-Za-z_][\w.-]*:)?[a-z][\w.-]*)(?=[^<>]*>)([^<>]*/>)?")
_TAG: Final = re.compile(r"<(/?)([A-Za-z_][\w.:-]*)([^<>]*)>")
_CUT_TAG: Final = re.compile(r"([^<]*)(?:(<)(?:(/)([\w.:-]*)\s*)?)?")
_PREFIX: Final = re.compile(r"</?([A-Za-z_][\w.-]*):[A-Za-z_]")
_ATTRIBUTE_PREFIX: Final = re.compile(r"\s([A-Za-z_][\w.-]*):[A-Za-z_][\w.-]*\s*=")
# Encodings in which ASCII is ASCII. Any other declaration is either wrong (a program that writes UTF-8 and declares
# UTF-16) or meant to hide something from the checks below, so it is set aside.
_PLAIN_ENCODING: Final = re.compile(
    r"utf-?8|(us-)?ascii|iso[-_]?8859[-_][0-9]{1,2}|latin-?[1-9]|(windows-|cp)125[0-9]|koi8-[ru]|mac(intosh|[-_]?roman)"
    r"|gb(k|2312|18030)|big5|shift[-_]jis|euc-(jp|kr)",
    re.IGNORECASE,
)
# Western encodings: what is declared so, yet is good UTF-8 throughout, was declared wrongly. (In a Cyrillic one two
# letters might be good UTF-8 by chance.)
_WESTERN: Final = re.compile(r"(us-)?ascii|iso[-_]?8859[-_](1|15)|latin-?[19]|(windows-|cp)1252", re.IGNORECASE)
# Where a message begins behind other text: the head of an HTTP message, what a script printed first.
_BEGINNING: Final = re.compile(rb"<(?:\?xml\s|!DOCTYPE\s+NCIP|(?:[A-Za-z_][\w.-]*:)?(?:NCIP|Envelope\s))")
_FURTHEST_BEGINNING: Final = 4096
_FIRST_TAG: Final = re.compile(r"<([A-Za-z_][\w.:-]*)")
_ROOT_TAG: Final = re.compile(r"<[A-Za-z_][^<>]*>")
_GLUED: Final = re.compile(r"""(=\s*(?:"[^"]*"|'[^']*'))(?=[A-Za-z_])""")
_CLOSING: Final = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>", "<!DOCTYPE": ">"}
_OPAQUE: Final = re.compile(r"<(?:!--|!\[CDATA\[|\?|!DOCTYPE)")
# One attribute inside a tag. More of them in one element than this are no message, and slow to handle.
_ATTRIBUTE: Final = re.compile(rb"""\s+[^\s=<>"']+\s*=\s*(?:"[^"<]*"|'[^'<]*')""")
MAX_ATTRIBUTES: Final = 100
_MOST_PREFIXES: Final = 8

_parsers: Final = threading.local()


def _parser() -> etree.XMLParser:
    """A parser of this thread's own: they cannot be shared, and making one costs more than a small message."""
    parser: etree.XMLParser | None = getattr(_parsers, "parser", None)
    if parser is None:
        parser = _parsers.parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            strip_cdata=True,
        )
    return parser


class Parsed:
    """A tree, what had to be done to get it, and whether its end was missing."""

    __slots__ = ("cut", "has_doctype", "notes", "root")

    def __init__(self, root: etree._Element, notes: list[str], *, has_doctype: bool, cut: bool) -> None:
        self.root = root
        self.notes = notes
        self.has_doctype = has_doctype
        self.cut = cut


def parse(data: bytes, *, limit: int = MAX_BYTES) -> Parsed:
    """The tree of a document. Raises ProtocolError ("theirs") for what is no XML, or hostile, or too large."""
    if len(data) > limit:
        raise ProtocolError("theirs", "document", f"The message has {len(data)} bytes; at most {limit} are read.")
    notes: list[str] = []
    data = _plain(data, notes)
    _refuse_hostile(data)
    cut = False
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        root, cut = _mended(data, error, notes)
    except ValueError as error:  # what libxml2 cannot even begin with, such as an unknown way to write bytes
        raise ProtocolError("theirs", "line 1", f"The document cannot be read: {error}.") from None
    if root is None:
        raise ProtocolError("theirs", "line 1", "The document has no element.")
    if _TOO_DEEP(root):
        raise ProtocolError("theirs", "document", f"The elements are nested more than {MAX_DEPTH} deep.")
    return Parsed(root, notes, has_doctype=b"<!DOCTYPE" in data, cut=cut)


def parse_fragment(text: str) -> etree._Element:
    """A fragment of XML that is to be sent inside Ext. Raises ProtocolError ("ours") if it is none."""
    try:
        return etree.fromstring(text.encode(), _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ProtocolError("ours", "Ext", f"The fragment is not well-formed XML: {error}.") from None


def _plain(data: bytes, notes: list[str]) -> bytes:
    """The document as bytes of one width, without a byte order mark or space around it."""
    for mark, encoding in _WIDE:
        if data.startswith(mark):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError as error:
                raise ProtocolError(
                    "theirs", "line 1", f"The document is not the {encoding} it begins as: {error}."
                ) from None
            notes.append(f"written in {encoding}")
            data = _DECLARATION.sub("", text.lstrip("\ufeff \t\r\n"), count=1).encode()
            break
    if data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
    if data[:1] in (b" ", b"\t", b"\r", b"\n"):
        data = data.lstrip(_SPACE)
        if data.startswith(b"<?xml"):
            notes.append("white space before the XML declaration")
    if not data.startswith(b"<"):
        data = _from_beginning(data, notes)
    if data.startswith(b"<?xml"):
        head = data[:300].decode("latin-1")
        declared = _ENCODING.match(head)
        if declared is not None and _is_declared_wrongly(declared.group(1), data):
            notes.append(f"the declared encoding {declared.group(1)} set aside")
            data = data[data.index(b"?>") + 2 :].lstrip(_SPACE) if b"?>" in data[:400] else data
    return data


def _from_beginning(data: bytes, notes: list[str]) -> bytes:
    """The document without the text that stands before it; as it is if no beginning is found nearby."""
    found = _BEGINNING.search(data, 0, _FURTHEST_BEGINNING)
    if found is None or found.start() == 0:
        return data
    notes.append("text before the document left unread")
    return data[found.start() :]


def _is_declared_wrongly(encoding: str, data: bytes) -> bool:
    if not _PLAIN_ENCODING.fullmatch(encoding):
        return True
    if not _WESTERN.fullmatch(encoding) or data.isascii():
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse_hostile(data: bytes) -> None:
    if not data:
        raise ProtocolError("theirs", "document", "The message is empty.")
    if b"\x00" in data:
        raise ProtocolError("theirs", "document", "The message holds NUL bytes, which XML forbids.")
    if b"<!ENTITY" in data:
        raise ProtocolError("theirs", "document type", "The message declares entities of its own, which is refused.")
    if data.count(b"=") > MAX_ATTRIBUTES and any(map(_too_many_attributes, data.split(b"<"))):
        raise ProtocolError("theirs", "document", f"An element has more than {MAX_ATTRIBUTES} attributes.")
    if not data.startswith(b"<"):
        begins = data[:40].decode("utf-8", "replace").strip()
        raise ProtocolError("theirs", "line 1", f"The message is no XML; it begins with {begins!r}.")
    if data[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise ProtocolError("theirs", "line 1", "The message is a web page (HTML), not NCIP.")


def _too_many_attributes(tag: bytes) -> bool:
    """Whether a piece of the document, from one `<` to the next, begins with a tag of too many attributes."""
    if tag.count(b"=") <= MAX_ATTRIBUTES:
        return False
    at = len(tag.split(None, 1)[0])
    for _ in range(MAX_ATTRIBUTES + 1):
        found = _ATTRIBUTE.match(tag, at)
        if found is None:
            return False
        at = found.end()
    return True


# ----------------------------------------------------------------------------------------------- mending


def _mended(data: bytes, error: etree.XMLSyntaxError, notes: list[str]) -> tuple[etree._Element, bool]:
    """A second attempt with the known kinds of damage undone. Raises ProtocolError with what was wrong at first."""
    text = _DECLARATION.sub("", _text(_from_beginning(data, notes), notes))
    text = _without_doctype(text, notes)
    text = _without_tail(text, notes)
    text = _with_spaces(text, notes)
    text = _without_controls(text, notes)
    text = _with_ampersands(text, notes)
    text = _with_brackets(text, notes)
    text = _with_prefixes(text, notes)
    ended = _with_end_tags(text)
    if ended is not None:
        notes.append("the end was cut off: the missing end tags were supplied")
    try:
        root = etree.fromstring((ended or text).encode(), _parser())
    except (etree.XMLSyntaxError, ValueError):
        _not_well_formed(error)
    if root is None:
        _not_well_formed(error)
    return root, ended is not None


def _not_well_formed(error: etree.XMLSyntaxError) -> NoReturn:
    line, column = error.position
    message = (error.msg or "not well-formed").split(", line ")[0]
    raise ProtocolError("theirs", f"line {line}, column {column}", f"The XML is not well formed: {message}.") from None


def _text(data: bytes, notes: list[str]) -> str:
    """The characters of a document whose encoding may be wrongly declared. Never fails: the last resort is Latin-1."""
    declared = _ENCODING.match(data[:400].decode("latin-1"))
    tried = [declared.group(1), "utf-8"] if declared and _PLAIN_ENCODING.fullmatch(declared.group(1)) else ["utf-8"]
    for encoding in tried:
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    notes.append("not the encoding it declares: read as Latin-1")
    return data.decode("cp1252", "replace")


def _without_doctype(text: str, notes: list[str]) -> str:
    """The document without a document type that is no XML: attributes in it, one name too few, typographic quotes."""
    first = _FIRST_TAG.search(text)
    found = _DOCTYPE.search(text, 0, first.start()) if first is not None else None
    if found is None or _GOOD_DOCTYPE.fullmatch(found.group()):
        return text
    notes.append("document type left unread")
    return text[: found.start()] + text[found.end() :]


def _without_tail(text: str, notes: list[str]) -> str:
    """The document without the text that stands behind its root. Another element there is no mere text: it stays."""
    first = _FIRST_TAG.search(text)
    if first is None:
        return text
    last = f"</{first.group(1)}>"
    end = text.rfind(last) + len(last)
    if end < len(last) or "<" in text[end:] or not text[end:].strip():
        return text
    notes.append("text behind the document left unread")
    return text[:end]


def _with_spaces(text: str, notes: list[str]) -> str:
    """The root's attributes with spaces between them: who posts a file by curl may lose the ends of its lines."""
    root = _ROOT_TAG.search(text)
    if root is None:
        return text
    tag = _GLUED.sub(r"\1 ", root.group())
    if tag == root.group():
        return text
    notes.append("spaces set between attributes")
    return text[: root.start()] + tag + text[root.end() :]


def _without_controls(text: str, notes: list[str]) -> str:
    """Control characters, written plainly or as references, have no meaning in a message and are dropped."""
    clean = _CONTROLS.sub("", text)
    clean = _CHARACTER.sub(_legal_reference, clean)
    if clean != text:
        notes.append("control characters dropped")
    return clean


def _legal_reference(found: re.Match[str]) -> str:
    number = int(found.group(1), 16) if found.group(1) else int(found.group(2))
    legal = number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
    # A reference to NUL is as hostile as NUL itself: it stays, and the parser refuses it.
    return found.group() if legal or number == 0 else ""


def _with_ampersands(text: str, notes: list[str]) -> str:
    """Bare ampersands escaped, and the names that HTML has for letters turned into the letters."""

    def mend(found: re.Match[str]) -> str:
        name = found.group(1)
        letter = html.entities.html5.get(name + ";") if name else None
        if letter is not None:
            return html.escape(letter, quote=False)
        return "&amp;" + (f"{name};" if name else "")

    mended = "".join(piece if piece.startswith("<!") else _AMPERSAND.sub(mend, piece) for piece in _pieces(text))
    if mended != text:
        notes.append("bare ampersands escaped")
    return mended


def _with_brackets(text: str, notes: list[str]) -> str:
    """Angle brackets of a text escaped: “a < b”, “<init>” in a stack trace, “<br>” without an end."""
    tags = [(slash, name) for slash, name, empty in _BRACKET.findall(text) if name and not empty]
    paired = {name for slash, name in tags if slash} & {name for slash, name in tags if not slash}

    def mend(found: re.Match[str]) -> str:
        _slash, name, empty = found.groups()
        return found.group() if empty or name in paired else "&lt;" + found.group()[1:]

    mended = "".join(piece if _OPAQUE.match(piece) else _BRACKET.sub(mend, piece) for piece in _pieces(text))
    if mended != text:
        notes.append("angle brackets in a text escaped")
    return mended


def _pieces(text: str) -> list[str]:
    """The text in pieces; comments, CDATA, processing instructions and the document type are pieces of their own."""
    pieces: list[str] = []
    done = 0
    while (found := _OPAQUE.search(text, done)) is not None:
        closing = _CLOSING[found.group()]
        end = text.find(closing, found.end())
        if end < 0:
            break
        pieces += [text[done : found.start()], text[found.start() : end + len(closing)]]
        done = end + len(closing)
    return [*pieces, text[done:]]


def _with_prefixes(text: str, notes: list[str]) -> str:
    """Prefixes that were never declared are declared on the root as NCIP's; the schema instance's as its own."""
    used = set(_PREFIX.findall(text)) | set(_ATTRIBUTE_PREFIX.findall(text))
    if len(used) > _MOST_PREFIXES:
        return text
    undeclared = sorted(p for p in used - {"xml", "xmlns"} if not re.search(rf"\sxmlns:{re.escape(p)}\s*=", text))
    if not undeclared:
        return text
    root = re.search(r"<[A-Za-z_][\w.:-]*", text)
    if root is None:
        return text
    notes.append(f"undeclared prefix {', '.join(undeclared)}")
    meant = {"xsi": "http://www.w3.org/2001/XMLSchema-instance"}
    added = "".join(f' xmlns:{prefix}="{meant.get(prefix, NAMESPACE)}"' for prefix in undeclared)
    return text[: root.end()] + added + text[root.end() :]


def _with_end_tags(text: str) -> str | None:
    """The text with its missing end tags, if only end tags are missing; else None.

    A Content-Length that counts characters cuts the last bytes of the body. A cut inside a value or a start tag, or in
    the header, has lost something that nobody can supply.
    """
    text = "".join(piece for piece in _pieces(text) if not piece.startswith(("<!--", "<?", "<!DOCTYPE")))
    if "<![CDATA[" in text:
        return None
    open_tags: list[str] = []
    end = 0
    closes = False
    for found in _TAG.finditer(text):
        slash, name, rest = found.groups()
        closes = bool(slash) or rest.endswith("/")
        if slash:
            if not open_tags or open_tags.pop() != name:
                return None
        elif not closes:
            open_tags.append(name)
        end = found.end()
    tail = _CUT_TAG.fullmatch(text, end)
    if not open_tags or tail is None:
        return None
    value, begun, ending, name = tail.groups()
    # A value is complete once the tag that ends it has begun; between tags nothing but space may stand.
    if (value.strip() and not begun) or not (closes or ending or value.strip()):
        return None
    if not open_tags[-1].startswith(name or ""):
        return None
    if any(name.endswith("Header") for name in open_tags):
        return None
    return text[:end] + value + "".join(f"</{tag}>" for tag in reversed(open_tags))


# ------------------------------------------------------------------------------------ where a message ends

_ROOT: Final = re.compile(rb"<([A-Za-z_][A-Za-z0-9_.:-]{0,79})(?:\s[^<>]{0,2000})?(/?)>")


def message_end(buffer: bytes) -> int | None:
    """Where the first message in a buffer ends, or None while its end has not come.

    For connections without framing (version 1 over bare TCP): the index after the root's end tag. Reads encodings in
    which ASCII is ASCII.
    """
    root = _ROOT.search(buffer)
    if root is None:
        return None
    if root.group(2):
        return root.end()
    found = re.compile(rb"</" + re.escape(root.group(1)) + rb"\s*>").search(buffer, root.end())
    return None if found is None else found.end()


# ---------------------------------------------------------------------------------------------- unwrapping

_FIELD: Final = re.compile(rb"\s*[^<>=&\r\n]{1,80}=")
_ESCAPES: Final = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'), (b"&apos;", b"'"), (b"&amp;", b"&"))


def unwrap(body: bytes) -> bytes:
    """The XML inside a body that a client has wrapped: URL-encoded, a field of a form, a part of a multipart form, or
    escaped as if it were text.

    Pure; a body that is already XML, and one that cannot be understood, come back as they are.
    """
    start = body.lstrip(_SPACE + codecs.BOM_UTF8)
    if start.startswith((b"<", b"\xff\xfe", b"\xfe\xff", b"\x00")) or len(body) > 4 * MAX_BYTES:
        return body
    if start[:3].lower() == b"%3c" or start[:12].lower() == b"%ef%bb%bf%3c":
        return _url_decoded(start)
    if start.startswith(b"--"):
        return _multipart(start) or body
    if start.startswith(b"&lt;"):
        return _unescaped(start)
    field = _FIELD.match(start)
    if field is None:
        return body
    rest = start[field.end() :]
    if rest.lstrip(_SPACE).startswith(b"<"):
        return rest  # a form field that nobody encoded
    for piece in start.split(b"&"):
        decoded = _url_decoded(piece.partition(b"=")[2])
        if decoded.lstrip(_SPACE + codecs.BOM_UTF8).startswith(b"<"):
            return decoded
    return body


def _url_decoded(data: bytes) -> bytes:
    return unquote_to_bytes(data.replace(b"+", b" "))


def _unescaped(data: bytes) -> bytes:
    for escape, character in _ESCAPES:
        data = data.replace(escape, character)
    return data


def _multipart(body: bytes) -> bytes | None:
    """The first part of a multipart body that holds XML."""
    boundary = body.split(b"\n", 1)[0].rstrip(b"\r")
    for part in body.split(boundary):
        _, _, content = part.replace(b"\r\n", b"\n").partition(b"\n\n")
        if content.lstrip(_SPACE + codecs.BOM_UTF8).startswith(b"<"):
            return content.rstrip(b"\n")
    return None
