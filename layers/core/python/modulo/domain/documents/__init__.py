"""What is read from a file: pages of blocks, headings, places on a page, chunks."""
