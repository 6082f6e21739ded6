"""The board: live web pages for the classroom, the teams and the teacher. Reads the store; changes nothing there.

What needs Starlette, uvicorn, Jinja2 or XlsxWriter is imported by `serve.py` and what it imports, never by `tandem`
itself: without the extra tandem[board] everything else runs.
"""
