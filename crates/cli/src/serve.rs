//! `sluice serve`: the embedded web server, for demos and small sites.

pub mod arguments;

use std::future::Future;
use std::net::SocketAddr;

use camino::Utf8PathBuf;
use daemon::restricted::Restrictions;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::Serve;

/// Serves until it is told to stop.
///
/// With `staff` it serves the candidates of updates, on loopback and nowhere else.
pub fn run(settings: &Settings, asked: &Serve, terminal: &Terminal) -> Result<u8, Failure> {
    let Serve { listen, staff } = *asked;
    let config = settings.config()?;
    let listen = match staff {
        true => on_loopback(listen.unwrap_or_else(|| ([127, 0, 0, 1], 8081).into()))?,
        false => listen.or(config.listen).unwrap_or_else(|| ([127, 0, 0, 1], 8080).into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(format!("failed to start the runtime: {error}")))?;
    runtime.block_on(async {
        let (listener, address) = listen_at(listen).await?;
        let stop = stopped()?;
        // On stdout, so that a program that asked for port 0 can read where it is.
        terminal.either(&serde_json::json!({ "url": format!("http://{address}/") }), |_| match staff {
            true => format!("serving the candidates of {} at http://{address}/\n", config.root),
            false => format!("serving {} at http://{address}/\n", config.root.join("public")),
        });
        if staff {
            daemon::web::serve_staff(listener, config.root.clone(), stop).await?;
            return Ok(0);
        }
        let restrictions = Restrictions::of(&config);
        daemon::web::serve_restricted(listener, public(&config.root), restrictions, stop).await?;
        Ok(0)
    })
}

/// Refuses an address that others can reach: nobody is asked who they are.
fn on_loopback(listen: SocketAddr) -> Result<SocketAddr, Failure> {
    match listen.ip().is_loopback() {
        true => Ok(listen),
        false => Err(Failure::usage(format!(
            "failed to serve what is for staff at `{listen}`: that is no loopback address"
        ))
        .hint("let a web server ask people who they are, and pass on to 127.0.0.1; see deploy/nginx")),
    }
}

/// Binds a socket, and says where it really is.
pub async fn listen_at(listen: SocketAddr) -> Result<(tokio::net::TcpListener, SocketAddr), Failure> {
    let wrong = |error: std::io::Error| {
        Failure::usage(format!("failed to listen at `{listen}`: {error}"))
            .hint("choose another with --listen")
    };
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    Ok((listener, address))
}

/// Completes at SIGINT or SIGTERM. Must be called within a runtime.
pub fn stopped() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let wrong = |error| Failure::internal(format!("failed to listen to signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(wrong)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(wrong)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn public(root: &camino::Utf8Path) -> Utf8PathBuf {
    root.join("public")
}
