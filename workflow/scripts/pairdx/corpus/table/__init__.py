"""A table of documents and a folder of images, as anybody has them: the users' own."""

ARCHIVE = "images"  # the archive that every row names: one folder, or a zip file
