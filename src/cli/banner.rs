//! What `gatelet dev` prints when it is ready: in colour on a terminal, plain otherwise.

use std::fmt::Write;
use std::io::IsTerminal;

use crate::pages::HomePage;

/// Prints the banner to standard output.
pub(super) fn print(home: &HomePage) {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // Whoever closed our standard output does not want a banner; that is no reason to stop.
    let _ = std::io::Write::write_all(&mut std::io::stdout().lock(), text(home, colour).as_bytes());
}

/// The banner. Commands start at the beginning of a line, so that they can be copied, and run, as they are.
fn text(home: &HomePage, colour: bool) -> String {
    let bold = |text: &str| if colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() };
    let quiet = |text: &str| if colour { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() };
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\n{}  {}", bold("Gatelet is ready"), quiet("(dev mode: for development only)"));
    if home.exposed {
        let _ = writeln!(
            out,
            "{}",
            bold("EXPOSED: other machines can reach this server and its well-known passwords.")
        );
    }
    let _ = writeln!(out, "\n  issuer      {}", home.issuer);
    let _ = writeln!(
        out,
        "  MCP server  {}  {}",
        home.demo_url,
        quiet("(a demonstration, protected by this issuer)")
    );
    for person in &home.people {
        let (name, tenants) = (&person.username, person.tenants.join(", "));
        let _ = writeln!(
            out,
            "  {:<11} password {}  {}",
            name,
            person.password,
            quiet(&format!("tenant {tenants}"))
        );
    }
    if let Some(machine) = &home.machine {
        let _ = writeln!(out, "  machine     {} {}", machine.client_id, machine.client_secret);
    }
    let _ = writeln!(out, "\n{}\n\n{}", bold("Try it"), home.curl);
    let _ = writeln!(out, "\n{}", bold("Connect a client"));
    for client in &home.clients {
        let _ = writeln!(out, "\n{}", quiet(&format!("# {}: {}", client.name, client.place)));
        let _ = writeln!(out, "{}", client.text);
    }
    let _ = writeln!(
        out,
        "\n{}\n",
        quiet(&format!("All of this is also at {}.", home.demo_url.trim_end_matches("/demo/mcp")))
    );
    out
}
