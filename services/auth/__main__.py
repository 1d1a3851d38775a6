"""`python -m services.auth`."""

from services.auth.main import create_app
from services.auth.settings import AuthSettings
from shared.web.serve import run

if __name__ == "__main__":
    run(create_app, AuthSettings)
