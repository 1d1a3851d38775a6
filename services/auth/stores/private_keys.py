"""The private parts of the signing keys: a SecureString each in the SSM Parameter Store, named by its `kid`."""

from botocore.exceptions import ClientError

from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import SSMClient


class PrivateKeys:
    """All of them raise Unavailable when SSM does not answer. A key is written once and never changed."""

    def __init__(self, ssm: SSMClient, path: str) -> None:
        self._ssm = ssm
        self._path = path.rstrip("/")

    async def add(self, kid: str, pem: str) -> None:
        """One that is there is the same, for the `kid` is its thumbprint: a try whose answer was lost wrote it."""
        try:
            with aws_errors("SSM"):
                await self._ssm.put_parameter(Name=self._name(kid), Value=pem, Type="SecureString", Overwrite=False)
        except ClientError as error:
            if error_code(error) != "ParameterAlreadyExists":
                raise

    async def get(self, kid: str) -> str | None:
        """The private key in PEM; None: it is not there."""
        try:
            with aws_errors("SSM"):
                answer = await self._ssm.get_parameter(Name=self._name(kid), WithDecryption=True)
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return None
        return str(answer["Parameter"]["Value"])

    async def delete(self, kid: str) -> None:
        """For good. One that is not there is no error."""
        try:
            with aws_errors("SSM"):
                await self._ssm.delete_parameter(Name=self._name(kid))
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise

    def _name(self, kid: str) -> str:
        return f"{self._path}/{kid}"
