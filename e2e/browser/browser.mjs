// A browser as small as this needs: cookies, redirects, forms. It reads pages with a real HTML parser, runs no script,
// and stops where it is sent away from the server.
import { parse } from "parse5";

/** One form of a page: where it goes and what it would send, button aside. */
export class Form {
  constructor(element, pageUrl) {
    this.action = new URL(attribute(element, "action") ?? pageUrl, pageUrl);
    this.inputs = [...descendants(element)]
      .filter((node) => node.tagName === "input" && attribute(node, "name") !== undefined)
      .map((node) => ({
        name: attribute(node, "name"),
        type: attribute(node, "type") ?? "text",
        value: attribute(node, "value") ?? "",
        checked: attribute(node, "checked") !== undefined,
      }));
  }

  has(name) {
    return this.inputs.some((input) => input.name === name);
  }

  /** What the checkboxes of this name are about, ticked or not: the last word of their values. */
  choices(name) {
    return this.inputs.filter((input) => input.name === name && input.type === "checkbox").map(lastWord);
  }

  fill(name, value) {
    const input = this.inputs.find((candidate) => candidate.name === name);
    if (!input) throw new Error(`the form has no field ${name}`);
    input.value = value;
  }

  tickOnly(name, values) {
    for (const value of values) {
      if (!this.choices(name).includes(value)) throw new Error(`the form offers no ${name} ${value}`);
    }
    for (const input of this.inputs) {
      if (input.name === name && input.type === "checkbox") input.checked = values.includes(lastWord(input));
    }
  }

  /** What is sent when the button with this name and value is pressed. */
  body(button) {
    const sent = this.inputs.filter((input) => !["checkbox", "radio"].includes(input.type) || input.checked);
    const pairs = sent.map((input) => [input.name, input.value === "" && input.type === "checkbox" ? "on" : input.value]);
    return new URLSearchParams(button ? [...pairs, button] : pairs);
  }
}

/** A scope on the consent page is told with the server that it is for: `<server> <scope>`. */
const lastWord = (input) => input.value.split(" ").at(-1);

export class Browser {
  #cookies;
  #origin;

  /** @param cookies names and values from an earlier visit */
  constructor(cookies = []) {
    this.#cookies = new Map(cookies);
  }

  get cookies() {
    return [...this.#cookies];
  }

  open(url) {
    this.#origin = new URL(url).origin;
    return this.#go(new URL(url), { method: "GET" });
  }

  submit(form, button) {
    return this.#go(form.action, { method: "POST", body: form.body(button) });
  }

  /** @returns {Promise<{forms: Form[], text: string} | {callback: URL}>} the page, or the address elsewhere */
  async #go(url, request) {
    for (let hops = 0; hops < 10; hops += 1) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const origin = request.method === "POST" ? { Origin: url.origin } : {};
      const response = await fetch(url, {
        ...request,
        redirect: "manual",
        headers: { Accept: "text/html", ...(cookie && { Cookie: cookie }), ...origin },
      });
      for (const line of response.headers.getSetCookie()) this.#remember(line);
      if (response.status < 300 || response.status > 399) return page(response, url);
      url = new URL(response.headers.get("location"), url);
      if (url.origin !== this.#origin) return { callback: url };
      request = { method: "GET" };
    }
    throw new Error("the server redirects for ever");
  }

  #remember(line) {
    const [pair, ...attributes] = line.split(";").map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    if (attributes.some((part) => part.toLowerCase() === "max-age=0")) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

async function page(response, url) {
  const nodes = [...descendants(parse(await response.text()))];
  const text = nodes.filter((node) => node.nodeName === "#text").map((node) => node.value).join("");
  if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}: ${text.replace(/\s+/g, " ").trim()}`);
  return { forms: nodes.filter((node) => node.tagName === "form").map((node) => new Form(node, url)), text };
}

function attribute(element, name) {
  return element.attrs.find((candidate) => candidate.name === name)?.value;
}

function* descendants(node) {
  yield node;
  for (const child of node.childNodes ?? []) yield* descendants(child);
}
