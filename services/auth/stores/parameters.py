"""The SSM Parameter Store: local mode keeps the signing key that it generates there, so that all instances share it."""

import asyncio

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from shared.clients.aws import aws_errors, error_code
from shared.settings import SharedSettings

SIGNING_KEY = "signing_key"


class Parameters:
    """SecureStrings below a path. Asked a few times in the life of a system, so a thread does it."""

    def __init__(self, settings: SharedSettings, path: str) -> None:
        key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
        self._path = path.rstrip("/")
        self._ssm = boto3.client(
            "ssm",
            region_name=settings.aws_region,
            endpoint_url=settings.aws_endpoint_url,
            aws_access_key_id=key.get_secret_value() if key else None,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}),
        )

    async def exists(self, name: str) -> bool:
        try:
            with aws_errors("SSM"):
                await asyncio.to_thread(self._ssm.get_parameter, Name=f"{self._path}/{name}", WithDecryption=False)
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return False
        return True

    async def add_secret(self, name: str, value: str) -> bool:
        """False: there is one of this name already, and it stays."""
        try:
            with aws_errors("SSM"):
                await asyncio.to_thread(
                    self._ssm.put_parameter,
                    Name=f"{self._path}/{name}",
                    Value=value,
                    Type="SecureString",
                    Overwrite=False,
                )
        except ClientError as error:
            if error_code(error) != "ParameterAlreadyExists":
                raise
            return False
        return True
