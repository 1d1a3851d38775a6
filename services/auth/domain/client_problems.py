"""What auth refuses about registered clients."""

from shared.errors import Conflict, NotFound


class ClientNotFound(NotFound):
    """No client of this id is registered."""

    code, title = "client-not-found", "There is no such client"

    def __init__(self) -> None:
        super().__init__("No client has this id. GET /api/clients lists them.")


class ClientSecretNotFound(NotFound):
    """The client has no secret of this id."""

    code, title = "client-secret-not-found", "There is no such secret"

    def __init__(self) -> None:
        super().__init__("The client has no secret with this id. GET /api/clients/{client_id} lists its secrets.")


class ClientIsPublic(Conflict):
    """A public client has no secrets."""

    code, title = "client-is-public", "A public client has no secrets"

    def __init__(self) -> None:
        super().__init__("This client authenticates by its id alone (`none`). Register another one for a secret.")


class TooManyClientSecrets(Conflict):
    """So many secrets of one client are good already."""

    code, title = "too-many-client-secrets", "Too many secrets are good at once"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} secrets of this client are good already. Delete one of them first.")


class ClientChangedMeanwhile(Conflict):
    """Other requests changed the client, one after the other, while this one tried to."""

    code, title = "client-changed-meanwhile", "The client is being changed by others"

    def __init__(self) -> None:
        super().__init__("Other requests are changing this client. Read it again, then repeat the change.")
