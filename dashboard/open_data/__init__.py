"""Open data: a finished release written to files that anybody can read, check and cite."""
