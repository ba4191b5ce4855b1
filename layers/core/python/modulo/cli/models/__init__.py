"""The local model server: embeddings and reranking over ONNX weights that come inside a Python package."""
