//! A response body that reads a file piece by piece, one piece ahead of the socket and no more.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;

/// Bytes read at a time; also what one slow client holds in memory.
const PIECE: u64 = 128 * 1024;

/// The bytes `part` of `file`.
#[derive(Debug)]
pub(crate) struct FileBody {
    file: Arc<File>,
    left: Range<u64>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl FileBody {
    /// Makes a body of exactly `part.end - part.start` bytes.
    ///
    /// If the file turns out shorter, the body ends with an error and so the connection breaks:
    /// a client never takes a cut file for a whole one.
    pub(crate) fn new(file: File, part: Range<u64>) -> FileBody {
        FileBody { file: Arc::new(file), left: part, reading: None }
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left.is_empty() && self.reading.is_none() {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        let reading = this.reading.get_or_insert_with(|| {
            let file = Arc::clone(&this.file);
            let (from, length) = (this.left.start, PIECE.min(this.left.end - this.left.start));
            tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; usize::try_from(length).unwrap_or(0)];
                file.read_exact_at(&mut piece, from)?;
                Ok(Bytes::from(piece))
            })
        });
        let read = std::task::ready!(Pin::new(reading).poll(context));
        this.reading = None;
        match read.map_err(io::Error::other).and_then(|piece| piece) {
            Ok(piece) => {
                this.left.start += piece.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Err(error) => {
                this.left.start = this.left.end;
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.reading.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.end - self.left.start)
    }
}
