"""What an issuer is, for both of its faces."""

from __future__ import annotations

from typing import Any

from ._answers import Client, Person, Resource, read
from ._http import Control


class IssuerFacts:
    """What an issuer is, as it was when it was made."""

    def __init__(self, control: Control, facts: dict[str, Any]) -> None:
        self._control, self.facts = control, facts
        """`facts` has all members of the control plane's answer."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.issuer}>"

    @property
    def name(self) -> str:
        return str(self.facts["name"])

    @property
    def issuer(self) -> str:
        """The issuer's identifier: `iss` of its tokens, and what an MCP server names in its metadata."""
        return str(self.facts["issuer"])

    @property
    def url(self) -> str:
        """Where its pages begin."""
        return str(self.facts["url"])

    @property
    def metadata_url(self) -> str:
        """Its metadata (RFC 8414)."""
        return str(self.facts["metadata_url"])

    @property
    def jwks_uri(self) -> str:
        """Its published keys."""
        return str(self.facts["jwks_uri"])

    @property
    def control_url(self) -> str:
        """Where it is driven, for a program that does so without this package."""
        return f"{self._control.url}/issuers/{self.name}"

    @property
    def people(self) -> list[Person]:
        return [Person.read(person) for person in self.facts["people"]]

    @property
    def clients(self) -> list[Client]:
        return [read(Client, client) for client in self.facts["clients"]]

    @property
    def resources(self) -> list[Resource]:
        return [read(Resource, resource) for resource in self.facts["resources"]]
