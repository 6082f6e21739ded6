"""What the teacher keeps: rosters, deadlines, notes and marks, and the rows of the gradebook with its exports."""
