"""Alice, who logs in and consents as the pages ask her to."""

from dataclasses import dataclass, field

from browser import Browser, Page


@dataclass
class Visit:
    callback: str = ""
    """Where she was sent."""
    saw: list[str] = field(default_factory=list)
    """The pages that she saw."""
    offered: list[str] = field(default_factory=list)
    """The scopes that the consent page offered."""


class Person:
    def __init__(self, client_url: str) -> None:
        self._browser = Browser(client_url)

    async def authorize(self, url: str, scopes: list[str]) -> Visit:
        """Follows an authorization request to its end, allowing `scopes` and nothing else."""
        visit = Visit()
        at = await self._browser.open(url)
        while isinstance(at, Page):
            if len(visit.saw) > 3:
                raise AssertionError(f"the pages lead nowhere: {visit.saw}")
            login = next((form for form in at.forms if form.has("password")), None)
            consent = next((form for form in at.forms if form.has("interaction")), None)
            if login:
                visit.saw.append("login")
                login.fill("username", "alice")
                login.fill("password", "wonderland")
                at = await self._browser.submit(login)
            elif consent:
                visit.saw.append("consent")
                visit.offered = consent.choices("scope")
                consent.tick_only("scope", scopes)
                at = await self._browser.submit(consent, ("decision", "allow"))
            else:
                raise AssertionError(f"neither a login nor a consent page: {at.text}")
        visit.callback = at
        return visit

    async def leave(self) -> None:
        await self._browser.close()
