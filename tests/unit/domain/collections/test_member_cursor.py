"""Cursors of members."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.collections.member import Member
from modulo.domain.collections.member_cursor import MEMBER_CURSOR_PATTERN, MemberCursor
from modulo.domain.tenancy.identity import Role


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200), st.sampled_from(Role))
def test_a_cursor_is_read_as_it_was_written(name: str, role: Role) -> None:
    member = Member(user_id=UUID(int=7), name=name, role=role)
    assert MemberCursor.decode(MemberCursor.of(member).encode()) == MemberCursor.of(member)


@given(st.from_regex(MEMBER_CURSOR_PATTERN.replace("4000", "40"), fullmatch=True))
def test_every_text_of_the_form_is_a_cursor_of_what_a_database_takes(text: str) -> None:
    name = MemberCursor.decode(text).name
    assert "\0" not in name
    name.encode()
