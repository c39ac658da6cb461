"""Valid calls of `dlnlib.rectified` for test_properties.py: arguments by name, and which functions are special there.

INFINITE : their documented answer may be infinite. EXEMPT : too slow to be called hundreds of times, or without arguments.
SLOW : not called with several extreme arguments at once.
"""

CALLS = {}
METHODS = {}
INFINITE: set[str] = set()
EXEMPT: set[str] = set()
SLOW: set[str] = set()
