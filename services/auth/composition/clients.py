"""The flows of registered clients."""

from dataclasses import dataclass

from services.auth.composition.parts import Parts
from services.auth.flows.add_client_secret import AddClientSecret
from services.auth.flows.change_client import ChangeClient
from services.auth.flows.changing_client import ChangingClient
from services.auth.flows.create_client import CreateClient
from services.auth.flows.delete_client import DeleteClient
from services.auth.flows.delete_client_secret import DeleteClientSecret
from services.auth.flows.get_client import GetClient
from services.auth.flows.list_clients import ListClients
from services.auth.stores.clients import Clients


@dataclass(frozen=True, slots=True)
class ClientFlows:
    create: CreateClient
    list: ListClients
    get: GetClient
    change: ChangeClient
    delete: DeleteClient
    add_secret: AddClientSecret
    delete_secret: DeleteClientSecret


def client_flows(parts: Parts) -> ClientFlows:
    clients = Clients(parts.backends.dynamodb, parts.settings.table_prefix)
    changing, audit, now = ChangingClient(clients), parts.backends.audit, parts.now
    return ClientFlows(
        create=CreateClient(clients, audit, now),
        list=ListClients(clients),
        get=GetClient(changing),
        change=ChangeClient(changing, audit, now),
        delete=DeleteClient(changing, parts.ending, now),
        add_secret=AddClientSecret(changing, audit, now),
        delete_secret=DeleteClientSecret(changing, audit, now),
    )
