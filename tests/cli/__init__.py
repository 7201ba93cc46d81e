"""The commands; a package, for its files may be called as those of other folders."""
