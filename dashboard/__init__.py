"""Commands and pages: two faces of `dashboard/service.py`."""
