"""Writing answers: one batched decoder, and the keys and values it keeps."""
