//! What `sluice serve` is asked for.

use std::net::SocketAddr;

use clap::Args;

/// The published tree, or what is for staff, over HTTP.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen [default: `listen` of the configuration, then 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Serve the candidates of updates instead, at a loopback address [default: 127.0.0.1:8081]
    #[arg(long)]
    pub staff: bool,
}
