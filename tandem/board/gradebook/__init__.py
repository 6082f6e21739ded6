"""The teacher's data: rosters, deadlines, notes and marks, and the rows and exports of the gradebook."""
