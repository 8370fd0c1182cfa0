"""Files in, checked tables out: what a dataset is, how files are read, how rows become datasets."""
