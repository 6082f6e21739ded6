"""HTTP: authentication, security headers, sessions, templates, and the pages themselves."""
