"""The contract of searches: requests, results, events, and the steps of reasoning."""
