"""The local model server: embeddings and reranking with ONNX models shipped in a Python package."""
