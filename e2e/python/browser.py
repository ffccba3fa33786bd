"""A browser as small as this needs: cookies, redirects, forms.

It reads pages with a real HTML parser, runs no script, and stops where a page sends it to the client.
"""

from dataclasses import dataclass
from urllib.parse import urljoin

import httpx2
from bs4 import BeautifulSoup, Tag


class Form:
    """One form of a page: where it goes and what it would send, button aside."""

    def __init__(self, element: Tag, page_url: str) -> None:
        self.action = urljoin(page_url, element.get("action", page_url))
        self._inputs = element.select("input[name]")

    def has(self, name: str) -> bool:
        return any(field["name"] == name for field in self._inputs)

    def choices(self, name: str) -> list[str]:
        """The values of the checkboxes of this name, ticked or not."""
        return [field.get("value", "on") for field in self._boxes(name)]

    def fill(self, name: str, value: str) -> None:
        next(field for field in self._inputs if field["name"] == name)["value"] = value

    def tick_only(self, name: str, values: list[str]) -> None:
        missing = set(values) - set(self.choices(name))
        if missing:
            raise AssertionError(f"the form offers no {name} {missing}")
        for box in self._boxes(name):
            if box.get("value", "on") in values:
                box["checked"] = ""
            elif "checked" in box.attrs:
                del box["checked"]

    def body(self, button: tuple[str, str] | None) -> list[tuple[str, str]]:
        """What is sent when the button with this name and value is pressed."""
        pairs = []
        for field in self._inputs:
            choice = field.get("type") in ("checkbox", "radio")
            if not choice or "checked" in field.attrs:
                pairs.append((field["name"], field.get("value", "on" if choice else "")))
        return [*pairs, button] if button else pairs

    def _boxes(self, name: str) -> list[Tag]:
        return [field for field in self._inputs if field["name"] == name and field.get("type") == "checkbox"]


@dataclass
class Page:
    forms: list[Form]
    text: str


class Browser:
    def __init__(self, client_url: str) -> None:
        """`client_url`: where the client waits; the browser goes nowhere near it, but says where it was sent."""
        self._client_url = client_url
        self._http = httpx2.AsyncClient(follow_redirects=False, headers={"Accept": "text/html"})

    async def open(self, url: str) -> Page | str:
        return await self._go(self._http.build_request("GET", url))

    async def submit(self, form: Form, button: tuple[str, str] | None = None) -> Page | str:
        data: dict[str, list[str]] = {}
        for name, value in form.body(button):
            data.setdefault(name, []).append(value)
        origin = "/".join(form.action.split("/")[:3])
        return await self._go(self._http.build_request("POST", form.action, data=data, headers={"Origin": origin}))

    async def close(self) -> None:
        await self._http.aclose()

    async def _go(self, request: httpx2.Request) -> Page | str:
        """The page at which it ends, or the address of the client."""
        for _ in range(10):
            response = await self._http.send(request)
            if not response.is_redirect:
                soup = BeautifulSoup(response.text, "html.parser")
                text = soup.get_text(" ", strip=True)
                if response.status_code != 200:
                    raise AssertionError(f"{request.url.path} answered {response.status_code}: {text}")
                return Page([Form(form, str(request.url)) for form in soup.select("form")], text)
            target = urljoin(str(request.url), response.headers["location"])
            if target.startswith(self._client_url):
                return target
            request = self._http.build_request("GET", target)
        raise AssertionError("the server redirects for ever")
