"""What is printed once everything is ready: addresses, users, and commands to paste."""

DEMO_USERS = {"testuser": "testpass", "alice": "wonderland-demo", "admin": "admin-demo-only"}
"""The users that auth's bootstrap makes in local mode. A test logs in as each of them."""
DEMO_CLIENT = ("demo-service", "demo-service-secret-local-only")
"""The program that may ask for tokens of its own (`client_credentials`): its client_id and client_secret."""

_FIELD = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"{}\"])'"
_JSON = "-H 'content-type: application/json'"
_BEARER = '-H "authorization: Bearer $TOKEN"'


def commands(auth_url: str, processor_url: str) -> list[str]:
    """Three lines for a shell: log in, send the hundred made-up records through a pipeline, look at the job."""
    credentials = '{"username": "testuser", "password": "testpass"}'
    body = '{"data_source": "test", "config": {}}'
    return [
        f"TOKEN=$(curl -sS {auth_url}/api/login {_JSON} -d '{credentials}' | {_FIELD.format('token')})",
        f"JOB=$(curl -sS {processor_url}/api/process {_BEARER} {_JSON} -d '{body}' | {_FIELD.format('processing_id')})",
        f'curl -sS "{processor_url}/api/status/$JOB?wait=10" {_BEARER}',
    ]


def welcome(auth_url: str, processor_url: str, log_folder: str) -> str:
    users = "   ".join(f"{name} / {password}" for name, password in DEMO_USERS.items())
    tries = "\n".join(f"  {command}" for command in commands(auth_url, processor_url))
    return f"""
  pages      {auth_url}/docs   {processor_url}/docs
  users      {users}
  client     {" / ".join(DEMO_CLIENT)}
  logs       {log_folder}

Try it in another terminal:

{tries}

Ctrl-C ends everything.
"""
