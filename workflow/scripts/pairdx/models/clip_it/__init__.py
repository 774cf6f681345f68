"""The family clip_it: images classified by what also learned from texts that are not there."""
