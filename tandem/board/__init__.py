"""The board: live web pages for the classroom, the teams and the teacher.

It reads the records and never changes them. The modules that need the extra tandem[board] (Starlette, uvicorn, Jinja2,
prometheus_client, XlsxWriter) are imported by `serve_board.py` only, so every other command runs without the extra.
"""
