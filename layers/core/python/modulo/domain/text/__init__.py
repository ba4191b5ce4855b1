"""Rules of language: sentences, words, stems, tokens, dates, rows of tables; they know nothing of documents."""
