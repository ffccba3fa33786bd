//! What to paste into well-known MCP clients.

/// How one client is connected to an MCP server.
#[derive(Clone, Debug)]
pub struct ClientSnippet {
    /// The client's name.
    pub name: String,
    /// Where the text goes and what to do then.
    pub place: String,
    /// Language of the text: `shell`, `json`, `toml`, `typescript`, `python`, `rust`.
    pub language: &'static str,
    /// The text to paste.
    pub text: String,
}

/// How the well-known clients are connected to the MCP server at `url`, under the name `server`
/// (letters, digits and hyphens).
pub fn well_known_clients(server: &str, url: &str) -> Vec<ClientSnippet> {
    let (agents, editors, tools) = (agents(server, url), editors(server, url), tools(url));
    agents.into_iter().chain(editors).chain(tools).collect()
}

fn agents(server: &str, url: &str) -> [ClientSnippet; 4] {
    [
        snippet(
            "Claude Code",
            "In a terminal. Then start claude, type /mcp, choose the server and log in.",
            "shell",
            format!("claude mcp add --transport http {server} {url}"),
        ),
        snippet(
            "Codex",
            "In a terminal. The second line opens the browser.",
            "shell",
            format!("codex mcp add {server} --url {url}\ncodex mcp login {server}"),
        ),
        snippet(
            "Gemini CLI",
            "In a terminal. Then start gemini and type the second line there.",
            "shell",
            format!("gemini mcp add --transport http {server} {url}\n/mcp auth {server}"),
        ),
        snippet(
            "Claude Desktop and claude.ai",
            "Their connectors are reached from the internet and cannot see this computer. For Claude Desktop, put \
             this in claude_desktop_config.json and restart it; mcp-remote makes the connection from here.",
            "json",
            servers_json("mcpServers", server, &[("command", "npx")], Some(url)),
        ),
    ]
}

fn editors(server: &str, url: &str) -> [ClientSnippet; 2] {
    [
        snippet(
            "Cursor",
            "In ~/.cursor/mcp.json, or .cursor/mcp.json in a project. Then log in from Settings, MCP.",
            "json",
            servers_json("mcpServers", server, &[("url", url)], None),
        ),
        snippet(
            "VS Code",
            "In .vscode/mcp.json. Then choose Start above the server’s name.",
            "json",
            servers_json("servers", server, &[("type", "http"), ("url", url)], None),
        ),
    ]
}

fn tools(url: &str) -> [ClientSnippet; 4] {
    [
        snippet(
            "MCP Inspector",
            "In a terminal. Then choose Streamable HTTP, enter the address of the MCP server and connect.",
            "shell",
            format!("npx @modelcontextprotocol/inspector\n# {url}"),
        ),
        snippet(
            "TypeScript SDK",
            "authProvider is your implementation of OAuthClientProvider.",
            "typescript",
            format!(
                "import {{ StreamableHTTPClientTransport }} from \"@modelcontextprotocol/sdk/client/streamableHttp.js\";\n\
                 \n\
                 const transport = new StreamableHTTPClientTransport(\n  new URL(\"{url}\"),\n  {{ authProvider }},\n);"
            ),
        ),
        snippet(
            "Python, with FastMCP",
            "The browser opens by itself.",
            "python",
            format!(
                "from fastmcp import Client\n\
                 \n\
                 async with Client(\"{url}\", auth=\"oauth\") as client:\n    print(await client.list_tools())"
            ),
        ),
        snippet(
            "Rust, with rmcp",
            "Feature auth of the rmcp crate. Send the person to the address that it returns.",
            "rust",
            format!(
                "let mut state = OAuthState::new(\"{url}\", None).await?;\n\
                 state.start_authorization(AuthorizationRequest::new(\"http://localhost:8080/callback\")).await?;\n\
                 let address = state.get_authorization_url().await?;"
            ),
        ),
    ]
}

/// `{"<key>": {"<server>": {…}}}`, laid out for people.
fn servers_json(key: &str, server: &str, members: &[(&str, &str)], bridge: Option<&str>) -> String {
    let mut lines: Vec<String> =
        members.iter().map(|(name, value)| format!("      \"{name}\": \"{value}\"")).collect();
    if let Some(url) = bridge {
        lines.push(format!("      \"args\": [\"-y\", \"mcp-remote\", \"{url}\"]"));
    }
    format!("{{\n  \"{key}\": {{\n    \"{server}\": {{\n{}\n    }}\n  }}\n}}", lines.join(",\n"))
}

fn snippet(name: &str, place: &str, language: &'static str, text: String) -> ClientSnippet {
    ClientSnippet { name: name.to_owned(), place: place.to_owned(), language, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_names_the_server_and_json_parses() {
        for client in well_known_clients("gatelet-demo", "http://localhost:8710/demo/mcp") {
            assert!(client.text.contains("http://localhost:8710/demo/mcp"), "{}", client.name);
            if client.language == "json" {
                serde_json::from_str::<serde_json::Value>(&client.text).unwrap();
            }
        }
    }
}
