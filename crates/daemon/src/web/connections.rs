//! How many clients at a time, and how long one may stand still.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// How many connections the server holds open; whoever comes later waits in the kernel's backlog.
pub const CONNECTIONS_MAX: usize = 512;

/// How long a connection lives on which no byte moves in either direction, and how long a request may take to come:
/// whoever sends it byte by byte must not keep his place for ever.
const STILL_MAX: Duration = Duration::from_secs(60);

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Peer(*stream.remote_addr())
    }
}

/// A listener that keeps to both bounds.
pub(super) struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    still_max: Duration,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener) -> Bounded {
        Bounded::with(listener, CONNECTIONS_MAX, STILL_MAX)
    }

    pub(super) fn with(listener: TcpListener, places: usize, still_max: Duration) -> Bounded {
        Bounded { listener, places: Arc::new(Semaphore::new(places)), still_max }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed");
        // The trait's own loop rides out errors such as too many open files.
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        // Answers are written in one go; waiting to fill a segment would only delay them.
        let _ = stream.set_nodelay(true);
        let still = Box::pin(tokio::time::sleep(self.still_max));
        (Connection { stream, still, still_max: self.still_max, is_asking: false, _place: place }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends with an error when it stands still too long, or a request takes too long to come.
pub(super) struct Connection {
    stream: TcpStream,
    still: Pin<Box<Sleep>>,
    still_max: Duration,
    /// Whether bytes came since the last ones went: a request, of which more does not count as movement.
    is_asking: bool,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn watch<T>(&mut self, context: &mut Context<'_>, moved: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            let until = Instant::now() + self.still_max;
            self.still.as_mut().reset(until);
            return moved;
        }
        std::task::ready!(self.still.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let moved = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() == before {
            return self.watch(context, moved);
        }
        if !std::mem::replace(&mut self.is_asking, true) {
            return self.watch(context, moved);
        }
        match self.still.deadline() <= Instant::now() {
            true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            false => moved,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.is_asking &= !moved.is_ready();
        self.watch(context, moved)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.is_asking &= !moved.is_ready();
        self.watch(context, moved)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
