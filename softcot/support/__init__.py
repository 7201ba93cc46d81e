"""What every room may use: errors, files, presets, processes, provenance; nothing of the method."""
