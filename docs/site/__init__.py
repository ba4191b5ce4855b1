"""The documentation as a website: Markdown pages for MkDocs, some of them made from the code."""
