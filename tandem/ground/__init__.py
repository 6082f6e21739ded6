"""The testing ground: the teacher's server.

socket -> loop -> reader -> diagnose -> judge -> recorder (commit) -> reply -> socket
                                           \\-> store -> results, board, reports (they only read)
"""
