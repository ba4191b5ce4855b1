from urllib.parse import urljoin, urlsplit
from uuid import UUID

from modulo.domain.citable_url import document_url, passage_url

COLLECTION, FILE = UUID(int=1), UUID(int=2)


def test_a_passages_url_is_its_documents_with_a_place_in_it():
    url = passage_url(COLLECTION, FILE, page=3, start=120, end=480)
    assert urlsplit(url)._replace(fragment="").geturl() == document_url(COLLECTION, FILE)
    assert urlsplit(url).fragment == "page=3&char=120,480"


def test_it_is_resolved_against_any_address_of_the_server():
    for address in ("https://rag.example.org", "https://rag.example.org/api/search", "https://rag.example.org/mcp"):
        assert urljoin(address, document_url(COLLECTION, FILE)) == (
            f"https://rag.example.org/api/collections/{COLLECTION}/files/{FILE}/content"
        )
