"""The client as which a docs page logs in: public, with PKCE. auth's bootstrap registers it."""

CLIENT_ID = "mayfly-docs"
REDIRECT_PATH = "/docs/oauth2-redirect"
