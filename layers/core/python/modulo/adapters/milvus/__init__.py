"""The vector store in Milvus."""
