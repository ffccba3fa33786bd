"""What an application gives the Python SDK."""

from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


def metadata(callback: str) -> OAuthClientMetadata:
    """What it says of itself when it registers."""
    return OAuthClientMetadata.model_validate({"client_name": "Python e2e", "redirect_uris": [callback]})


class Storage:
    """What an application would keep on disk."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info
