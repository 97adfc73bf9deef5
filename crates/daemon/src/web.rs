#![expect(clippy::disallowed_methods, reason = "no date in the future may be told, so the clock is read")]

//! Serves the exported tree over HTTP: the files of `public/`, and nothing else.
//!
//! ```text
//! /glite/el9/x86_64/production/repodata/repomd.xml  ->  public/current/glite/...   no-cache
//! /@42/glite/...                                    ->  public/@42/glite/...       immutable
//! /@update-57/glite/...                             ->  public/@update-57/glite/...
//! ```
//!
//! Meant for demos, tests and small sites; a large one puts nginx or Apache in front of the same
//! directory and gets the same addresses. Every look-up goes through `openat2` from a handle of
//! `public/` and may not leave it, whatever links lie in the tree; only regular files are sent.
//! `current` and names are read once for each request, so one answer never mixes two generations.
//!
//! Cache rules. `immutable` says that an address has one content for ever, so only three kinds carry
//! it: metadata whose name begins with its checksum, packages at their digest paths, and everything
//! below the number of a generation (numbers are never used twice). A *name* of a generation is never
//! bound to another number either, but it can be dropped, and whoever dropped it wants that seen:
//! what is not named by a checksum is `no-cache` there, as below `current`. `no-cache` means "ask
//! first"; the answer is a 304 without a body where nothing changed.

mod address;
mod body;
mod connections;
mod content_type;
mod listing;
mod precondition;
#[cfg(test)]
mod tests;
mod tree;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Error;
use crate::restricted::Restrictions;
use address::Address;
use precondition::{Facts, Verdict};
use tree::{Found, Tree};

pub use connections::CONNECTIONS_MAX;
use connections::Peer;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Takes any bytes for a path and header lines behind it, as a request has them: for fuzzing.
#[cfg(feature = "testing")]
pub fn tried(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    if let Ok(address) = Address::parse(lines.next().unwrap_or_default()) {
        let harmless =
            |segment: &String| !matches!(segment.as_str(), "" | "." | "..") && !segment.contains(['/', '\0']);
        assert!(address.segments.iter().all(harmless), "{address:?}");
        let again = Address::parse(&format!("{}/", address.encoded()));
        assert_eq!(again.map(|again| again.segments), Ok(address.segments.clone()));
        let _ = address.is_immutable();
    }
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (name.parse::<header::HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    for size in [0, 1, 100, u64::MAX] {
        if let Verdict::Part(range) = precondition::judge(&Facts::new(size, 5, 0, 7), &headers) {
            assert!(range.start < range.end && range.end <= size, "{range:?} of {size}");
        }
    }
}

/// Serves `public` on `listener` until `shutdown` completes.
///
/// At most [`CONNECTIONS_MAX`] connections are open at a time, later ones wait in the backlog; one on
/// which nothing moves for a minute is closed. After `shutdown`, answers under way get five seconds.
///
/// # Errors
///
/// If `public` cannot be opened (it must exist), or the socket fails for good.
pub async fn serve(
    listener: tokio::net::TcpListener,
    public: Utf8PathBuf,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    serve_restricted(listener, public, Restrictions::default(), shutdown).await
}

/// Does what [`serve`] does, for a site with stages that not everybody may read.
///
/// # Errors
///
/// As [`serve`].
pub async fn serve_restricted(
    listener: tokio::net::TcpListener,
    public: Utf8PathBuf,
    restrictions: Restrictions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let router = router(&public, restrictions)?;
    run(listener, (router, public), shutdown).await
}

/// Serves on `listener`, which must listen on loopback only, what the current generation below `root` has for staff: the
/// candidates of updates that are still to be published, as `/candidate/<hash of the plan>/`.
///
/// A browser that was led here by the name of another host is turned away.
///
/// # Errors
///
/// As [`serve`].
pub async fn serve_staff(
    listener: tokio::net::TcpListener,
    root: Utf8PathBuf,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let cause = |cause| Error::File { operation: "open", path: root.clone(), cause };
    let tree = Tree::open_for_staff(&root).map_err(cause)?;
    let site = Site { tree, restrictions: Restrictions::default(), is_for_staff: true };
    let router = Router::new().fallback(answer).with_state(Arc::new(site));
    run(listener, (router, root), shutdown).await
}

async fn run(
    listener: tokio::net::TcpListener,
    (router, path): (Router, Utf8PathBuf),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let router = router.into_make_service_with_connect_info::<Peer>();
    let (told, heard) = tokio::sync::oneshot::channel::<()>();
    let graceful =
        axum::serve(connections::Bounded::new(listener), router).with_graceful_shutdown(async move {
            shutdown.await;
            // Nobody listens only if the server ended on its own.
            let _ = told.send(());
        });
    let at_the_latest = async move {
        if heard.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    };
    tokio::select! {
        ended = async move { graceful.await } => ended.map_err(|cause| Error::File { operation: "serve", path, cause }),
        () = at_the_latest => Ok(()),
    }
}

/// Builds the routes for `public`.
///
/// # Errors
///
/// If `public` cannot be opened, or the kernel has no `openat2` (`ENOSYS`; Linux has it since 5.6).
fn router(public: &Utf8Path, restrictions: Restrictions) -> Result<Router, Error> {
    let tree = Tree::open(public).map_err(|cause| Error::File {
        operation: "open",
        path: public.to_owned(),
        cause,
    })?;
    let site = Site { tree, restrictions, is_for_staff: false };
    Ok(Router::new().fallback(answer).with_state(Arc::new(site)))
}

/// What is served, and to whom not.
struct Site {
    tree: Tree,
    restrictions: Restrictions,
    is_for_staff: bool,
}

async fn answer(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let mut response = words(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if site.is_for_staff && !is_of_this_host(&headers) {
        return words(
            StatusCode::MISDIRECTED_REQUEST,
            "what is for staff is asked for by a loopback address",
        );
    }
    let mut response = match Address::parse(uri.path()) {
        Err(why) => words(StatusCode::BAD_REQUEST, why.words()),
        // What is there and what is not look alike to whoever may read neither.
        Ok(address) if !site.restrictions.may_read(&address.segments, peer.0.ip()) => {
            words(StatusCode::FORBIDDEN, "not everybody may read this stage")
        }
        Ok(address) => {
            let shared = Arc::clone(&site);
            let asked = address.clone();
            match tokio::task::spawn_blocking(move || shared.tree.find(&asked)).await {
                Ok(Found::Directory(mut listing)) => {
                    listing.entries.retain(|entry| {
                        let inner = [&address.segments[..], std::slice::from_ref(&entry.name)].concat();
                        site.restrictions.may_read(&inner, peer.0.ip())
                    });
                    respond(&address, Found::Directory(listing), &headers)
                }
                Ok(found) => respond(&address, found, &headers),
                Err(_) => words(StatusCode::INTERNAL_SERVER_ERROR, "the look-up failed"),
            }
        }
    };
    if method == Method::HEAD {
        // The length that a GET would have had stays in the header.
        *response.body_mut() = Body::empty();
    }
    response
}

/// Whether somebody asks for this host by itself: a name that a page elsewhere made lead here is another.
fn is_of_this_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return true };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn respond(address: &Address, found: Found, headers: &HeaderMap) -> Response {
    match found {
        Found::File { file, facts, name } => send_file(address, file, &facts, &name, headers),
        Found::Directory(listing) => {
            let html = listing::page(address, &listing);
            let mut response = Response::new(Body::from(html));
            let head = response.headers_mut();
            head.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            // What a directory holds changes even below a number: packages come and go.
            head.insert(header::CACHE_CONTROL, NO_CACHE);
            response
        }
        Found::DirectoryWithoutSlash => {
            let mut response =
                words(StatusCode::MOVED_PERMANENTLY, "this is a directory; its address ends with `/`");
            if let Ok(location) = HeaderValue::from_str(&format!("{}/", address.encoded())) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Found::Nothing => words(StatusCode::NOT_FOUND, "there is nothing at this address"),
        Found::NoSuchGeneration => {
            words(StatusCode::NOT_FOUND, "no generation of that number or name is kept here (any longer)")
        }
        Found::Forbidden => words(StatusCode::FORBIDDEN, "the server may not read this"),
        Found::NoCurrent => later("nothing is published here yet"),
        Found::Busy => later("the tree is changing too fast to be read; try again"),
        Found::Failed(error) => {
            tracing::error!(address = %address.encoded(), %error, "failed to read the exported tree");
            words(StatusCode::INTERNAL_SERVER_ERROR, "the server failed to read this")
        }
    }
}

fn send_file(
    address: &Address,
    file: std::fs::File,
    facts: &Facts,
    name: &str,
    headers: &HeaderMap,
) -> Response {
    let now = SystemTime::now();
    let (status, part) = match precondition::judge(facts, headers) {
        Verdict::Whole => (StatusCode::OK, 0..facts.size),
        Verdict::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Verdict::NotModified => (StatusCode::NOT_MODIFIED, 0..0),
        Verdict::Failed => return words(StatusCode::PRECONDITION_FAILED, "the file is not the one you have"),
        Verdict::Unsatisfiable => {
            let mut response = words(StatusCode::RANGE_NOT_SATISFIABLE, "the file is shorter than that");
            response.headers_mut().insert(header::CONTENT_RANGE, text(format!("bytes */{}", facts.size)));
            return response;
        }
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let head = response.headers_mut();
    head.insert(header::ETAG, text(facts.etag.clone()));
    head.insert(header::CACHE_CONTROL, if address.is_immutable() { IMMUTABLE } else { NO_CACHE });
    if let Some(modified) = facts.last_modified(now) {
        head.insert(header::LAST_MODIFIED, text(modified));
    }
    if status == StatusCode::NOT_MODIFIED {
        return response;
    }
    head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type::of(name)));
    head.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    head.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    if status == StatusCode::PARTIAL_CONTENT {
        head.insert(
            header::CONTENT_RANGE,
            text(format!("bytes {}-{}/{}", part.start, part.end - 1, facts.size)),
        );
    }
    *response.body_mut() = Body::new(body::FileBody::new(file, part));
    response
}

fn words(status: StatusCode, sentence: &str) -> Response {
    let mut response = Response::new(Body::from(format!("{sentence}\n")));
    *response.status_mut() = status;
    let head = response.headers_mut();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    head.insert(header::CACHE_CONTROL, NO_CACHE);
    head.insert(header::CONTENT_LENGTH, HeaderValue::from(sentence.len() + 1));
    response
}

fn later(sentence: &str) -> Response {
    let mut response = words(StatusCode::SERVICE_UNAVAILABLE, sentence);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

fn text(value: String) -> HeaderValue {
    HeaderValue::from_str(&value).expect("made of digits, ASCII letters and punctuation only")
}
