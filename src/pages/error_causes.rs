//! The causes of error pages that are known, in words for the person who meets them.

use super::ErrorPage;
use super::WhoCanFix::{ApplicationDeveloper, ServerOperator, You};

const RECONNECT: [&str; 3] = [
    "In the application, remove the connection to the MCP server.",
    "Add it again: an application that registered itself then introduces itself anew.",
    "If that does not help, ask the operator of this server, who may have set the application up or suspended it; or tell its developer the details below.",
];

/// An authorization request that cannot be answered to the client (RFC 9700 §4.11, RFC 6749 §4.1.2.1).
impl ErrorPage {
    /// No client has this `client_id`, or it was removed. No client program can see this page, so the person acts.
    pub fn unknown_client(client_id: &str) -> Self {
        Self::new(
            400,
            "This server does not know the application",
            "The application that sent you here is not registered, or its registration has ended or was suspended.",
            You,
            &RECONNECT,
        )
        .technical("Error", "invalid_client")
        .technical("client_id", client_id)
        .technical("Specification", "RFC 6749 §4.1.2.1")
    }

    /// The client id document could not be fetched or is not acceptable; `why` is one of our own sentences.
    pub fn client_document_unusable(url: &str, why: &str) -> Self {
        Self::new(
            400,
            "The application’s description cannot be used",
            "The application identifies itself by a document on the web, and that document could not be read or is not valid.",
            ApplicationDeveloper,
            &["They find the address below; the operator of this server finds the reason in its log, under the request id. If you believe that it was a passing failure, start again in the application."],
        )
        .technical("Error", "invalid_client")
        .technical("client_id", url)
        .technical("Reason", why)
        .technical("Specification", "OAuth Client ID Metadata Document")
    }

    /// The redirect URI is none of the client's.
    pub fn redirect_uri_not_registered(sent: &str) -> Self {
        Self::new(
            400,
            "The way back is not registered",
            "The application asked to have you sent to an address that it has not registered. You were not sent there, since it could belong to somebody else.",
            ApplicationDeveloper,
            &[
                "Register the address below exactly as it is sent. Addresses are compared character by character: path, trailing slash, query and letter case count.",
                "Only the port may differ, and only for http on localhost, 127.0.0.1 or [::1].",
                "If you use the application and did not write it: remove the connection and add it again.",
            ],
        )
        .technical("Error", "invalid_request")
        .technical("redirect_uri sent", sent)
        .technical("Specification", "RFC 9700 §2.1, RFC 8252 §7.3")
    }

    /// The request breaks a rule of `specification`: by a parameter, if one is named. `why` is one of our own sentences.
    pub fn request_refused(code: &str, parameter: Option<&str>, why: &str, specification: &str) -> Self {
        let page = Self::new(
            400,
            "The application’s request is not valid",
            "The application sent you here with a request that this server cannot use.",
            ApplicationDeveloper,
            &["They find the reason below. There is nothing that you need to do."],
        )
        .technical("Error", code);
        let page = match parameter {
            Some(name) => page.technical("Parameter", name),
            None => page,
        };
        page.technical("Reason", why).technical("Specification", specification)
    }
}

/// Pages that belong to a visit that has ended.
impl ErrorPage {
    /// A form was too old, was sent twice, or was opened in another browser.
    pub fn page_expired() -> Self {
        Self::new(
            400,
            "This page has expired",
            "It was open for too long, was already answered, or was opened in another browser. An answer that you gave before still counts; nothing was added to it.",
            You,
            &["Go back to the application and start connecting again."],
        )
    }

    /// The browser session ended while the person was on a page.
    pub fn session_ended() -> Self {
        Self::new(
            400,
            "You are no longer logged in",
            "Your session ended while this page was open. Nothing was allowed.",
            You,
            &["Go back to the application and start connecting again. You will be asked to log in."],
        )
    }

    /// The form's token does not fit this browser: another site may have sent it.
    pub fn forged_form() -> Self {
        Self::new(
            403,
            "This form did not come from this server",
            "It may have been sent by another site, or your browser blocks cookies here. Nothing was changed.",
            You,
            &["Allow cookies for this site, then go back to the application and start connecting again."],
        )
    }
}

/// Answers of the HTTP layer.
impl ErrorPage {
    /// Nothing is at `path`.
    pub fn not_found(path: &str) -> Self {
        Self::new(
            404,
            "There is no page here",
            "The address is mistyped, or the page has moved.",
            You,
            &["Check the address, or go back to the application that you came from."],
        )
        .technical("Path", path)
    }

    /// `path` does not answer `method`; `allowed` is the value of the `Allow` header.
    pub fn method_not_allowed(method: &str, allowed: &str) -> Self {
        Self::new(
            405,
            "This address is used in another way",
            "The request’s method is not answered at this address.",
            ApplicationDeveloper,
            &["Use one of the allowed methods below."],
        )
        .technical("Method", method)
        .technical("Allowed", allowed)
    }

    /// The request breaks a rule of HTTP itself.
    pub fn malformed(why: &str) -> Self {
        Self::new(
            400,
            "This is no whole request",
            "What sent it, or something on the way here, does not follow the rules of HTTP.",
            ApplicationDeveloper,
            &["They find the reason below."],
        )
        .technical("Reason", why)
    }

    /// The `Host` header names none of this server's hosts.
    pub fn host_not_allowed(host: &str) -> Self {
        Self::new(
            403,
            "This server does not answer to that name",
            "You reached the server under a name that it was not configured for. It refuses, so that other sites cannot use your browser to reach it.",
            ServerOperator,
            &["Open the server under its configured address, or add the host below to its configuration."],
        )
        .technical("Host", host)
    }

    /// The request is larger than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            413,
            "The request is too large",
            "More was sent than this server reads.",
            ApplicationDeveloper,
            &["Send less. The limit is below."],
        )
        .technical("Limit", &format!("{limit} bytes"))
    }

    /// The body is not a form.
    pub fn unsupported_media_type(sent: &str) -> Self {
        Self::new(
            415,
            "The request is in another format",
            "This address reads forms.",
            ApplicationDeveloper,
            &["Send application/x-www-form-urlencoded."],
        )
        .technical("Content-Type sent", sent)
    }

    /// Too many requests; may be tried again after `seconds`.
    pub fn too_many_requests(seconds: u64) -> Self {
        Self::new(
            429,
            "Too many requests",
            "More requests came from your address than this server answers.",
            You,
            &["Wait for the time below, then try again."],
        )
        .technical("Try again after", &seconds_in_words(seconds))
    }

    /// Something broke here; the log has it under the request's id.
    pub fn server_error() -> Self {
        Self::new(
            500,
            "Something went wrong here",
            "The server could not finish what you asked for. It is not your fault.",
            ServerOperator,
            &[
                "Try again from the application. If it happens again, give the operator the request id below: the server’s log has the reason under it.",
            ],
        )
    }

    /// The database or a worker cannot be reached; may be tried again after `seconds`.
    pub fn unavailable(seconds: u64) -> Self {
        Self::new(
            503,
            "The server is busy",
            "It cannot answer at the moment. Nothing was lost.",
            You,
            &["Wait for the time below, then reload the page."],
        )
        .technical("Try again after", &seconds_in_words(seconds))
    }
}

fn seconds_in_words(seconds: u64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        n => format!("{n} seconds"),
    }
}
