//! An MCP client made with rmcp that logs in where the server says (MCP 2026-07-28 authorization):
//!
//! ```sh
//! cargo run --example rmcp_client -- http://localhost:8710/demo/mcp
//! ```
//!
//! It prints the address of the login page, or opens it with the program that `BROWSER` names, waits for the answer on
//! a loopback port, and calls `whoami`; then it asks for more and writes a note. With a second argument, the https
//! address of a client id metadata document, it needs no registration.

use std::error::Error;
use std::process::Command;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, JsonObject};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

type Problem = Box<dyn Error + Send + Sync>;
type Client = RunningService<RoleClient, ()>;

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().ok_or("usage: rmcp_client MCP_URL [CLIENT_ID_DOCUMENT]")?;
    let mut callback = Callback::listen().await?;
    let mut login = OAuthState::new(&server, None).await?;

    // The first request has no token; the refusal says where to log in, and what to ask for.
    let mut request = AuthorizationRequest::new(&callback.address)
        .with_client_name("rmcp example")
        .with_challenge(challenge(&server).await?)
        .with_initial_scope_selection();
    if let Some(document) = arguments.next() {
        request = request.with_client_metadata_url(document);
    }
    login.start_authorization(request).await?;
    let answer = callback.after(&login.get_authorization_url().await?).await?;
    login.handle_callback_url(&answer).await?;
    let client = connected(&server, &login).await?;
    println!("{}", call(&client, "whoami", json!({})).await?);
    client.cancel().await?;

    // More is asked of the person when it is needed.
    let address = login.request_scope_upgrade("mcp:write", &callback.address).await?;
    let answer = callback.after(&address).await?;
    login.handle_callback_url(&answer).await?;
    let client = connected(&server, &login).await?;
    call(&client, "write_note", json!({"title": "rmcp", "text": "Written by the example"})).await?;
    println!("{}", call(&client, "whoami", json!({})).await?);
    client.cancel().await?;

    // rmcp refreshes by itself when an access token is near its end; here it is told to.
    login.refresh_token().await?;
    let client = connected(&server, &login).await?;
    println!("{}", call(&client, "whoami", json!({})).await?);
    client.cancel().await?;
    Ok(())
}

/// The challenge of the server's first refusal.
async fn challenge(server: &str) -> Result<String, Problem> {
    let config = StreamableHttpClientTransportConfig::with_uri(server);
    let transport = StreamableHttpClientTransport::with_client(reqwest::Client::new(), config);
    match ().serve(transport).await {
        Ok(_) => Err("the server lets anybody in".into()),
        Err(refused) => Ok(refused.auth_challenge().ok_or_else(|| refused.to_string())?.to_owned()),
    }
}

/// Connects with the tokens of `login`.
async fn connected(server: &str, login: &OAuthState) -> Result<Client, Problem> {
    let OAuthState::Authorized(manager) = login else { return Err("not logged in".into()) };
    let token = manager.get_access_token().await?;
    let config = StreamableHttpClientTransportConfig::with_uri(server).auth_header(token);
    let transport = StreamableHttpClientTransport::with_client(reqwest::Client::new(), config);
    Ok(().serve(transport).await?)
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> Result<Value, Problem> {
    let arguments: JsonObject = serde_json::from_value(arguments)?;
    let result = client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await?;
    Ok(result.structured_content.unwrap_or_default())
}

/// Where the person's browser comes back to.
struct Callback {
    address: String,
    arrived: mpsc::Receiver<String>,
}

impl Callback {
    async fn listen() -> Result<Self, Problem> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let (tell, arrived) = mpsc::channel(1);
        let answer = async |State((origin, tell)): State<(String, mpsc::Sender<String>)>,
                            request: Request| {
            let _ = tell.send(format!("{origin}{}", request.uri())).await;
            "You can close this window."
        };
        let router = Router::new().route("/callback", get(answer)).with_state((origin.clone(), tell));
        tokio::spawn(async { axum::serve(listener, router).await });
        Ok(Self { address: format!("{origin}/callback"), arrived })
    }

    /// Sends the person to `address`, and waits for where the browser is sent then.
    async fn after(&mut self, address: &str) -> Result<String, Problem> {
        match std::env::var_os("BROWSER") {
            Some(browser) => drop(Command::new(browser).arg(address).spawn()?),
            None => eprintln!("Open this address in your browser:\n\n{address}\n"),
        }
        Ok(self.arrived.recv().await.ok_or("nobody listens any more")?)
    }
}
