"""URLs of documents and passages, by which they are cited.

They begin with the path of the API, and are resolved against the address of the server. The same content keeps its URL:
neither the name of a file nor its generation is a part of it.
"""

from uuid import UUID

URL_DESCRIPTION = "by which it is cited, relative to the server's address; it stays the same"


def document_url(collection_id: UUID, file_id: UUID) -> str:
    """The URL of a document, at which it can be downloaded with a credential."""
    return f"/api/collections/{collection_id}/files/{file_id}/content"


def passage_url(collection_id: UUID, file_id: UUID, *, page: int, start: int, end: int) -> str:
    """The URL of a passage: the document's, with the page (RFC 8118) and the characters of the page's text."""
    return f"{document_url(collection_id, file_id)}#page={page}&char={start},{end}"
