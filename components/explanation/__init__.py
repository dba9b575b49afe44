"""What a model looks at: the AUC that it loses on the test split when a part of what it sees is permuted.

docs/explain.md has the definition and why it is that one. Nothing here imports TensorFlow.
"""
