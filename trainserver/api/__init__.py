"""The HTTP side: OpenAI's endpoints over the records of this program. Imports no machine learning."""
