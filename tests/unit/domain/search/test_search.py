from modulo.domain.search.search import Citation, SearchMetadata, SearchOutput


def test_marks_are_told_with_what_they_name():
    cited = Citation.model_construct(mark=1)
    output = SearchOutput(
        answer="“Thirty days, see [9].” [1] Notice is a month. [1]",
        documents=(),
        query_results=(),
        citations=(cited,),
        execution_time=0.1,
        metadata=SearchMetadata(collections=(), collection_version=None, embedding_model=None),
    )
    assert [(mark.start(), found) for mark, found in output.cited_marks()] == [(24, cited), (47, cited)]
    assert list(output.model_copy(update={"answer": None}).cited_marks()) == []
