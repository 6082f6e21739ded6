"""The live state of each class: follows the records, and sends every change to the browsers that watch."""
