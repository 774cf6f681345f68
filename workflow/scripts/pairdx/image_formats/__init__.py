"""What files say of themselves before anything is decoded: which format, how deep, how many."""
