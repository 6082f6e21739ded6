"""Pure: the bytes that came go in; fields, problems, remarks and a repaired message come out."""
