"""What the schema allows and a job would refuse: one file per subject, sentences with the key."""
