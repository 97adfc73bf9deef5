//! The worker's side: one descriptor comes, one answer goes, until the daemon hangs up.

#[cfg(feature = "testing")]
mod rehearsal;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use ::signatures::Certificate;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};
use serde::de::DeserializeOwned;

use super::answer::{Answer, Bounded, FILES, Greeting, QUESTION_MAX, REWORK, SIGNATURES};
use super::confinement::{self, Limits};
use super::signatures::{self, Question};
use super::{Rework, Unfit, Wrong, examine, held, rebuilding};

/// Reads packages for the daemon at the other end of the socket that is this process's standard input.
///
/// # Errors
///
/// The limits cannot be set, standard input is no socket of a daemon, or it broke.
pub fn serve(limits: &Limits) -> io::Result<()> {
    let socket = rustix::stdio::stdin();
    let without = confinement::confine(limits)?;
    say(socket, &Greeting { without })?;
    while let Some((what, file)) = receive(socket)? {
        if what == SIGNATURES {
            let question = hear(socket)?;
            say(socket, &judged(file, &question))?;
            continue;
        }
        if what == FILES {
            let paths: BTreeSet<String> = hear(socket)?;
            let answer = match held(&mut File::from(file), &paths) {
                Ok(Ok(held)) => Answer::Files(held),
                Ok(Err(unfit)) => Answer::Unfit(unfit),
                Err(cause) => Answer::NotRead(cause.to_string()),
            };
            say(socket, &answer)?;
            continue;
        }
        if what == REWORK {
            let rework: Rework = hear(socket)?;
            let answer = match rebuilding::examine(&mut File::from(file), &rework) {
                Ok(Ok(Ok(made))) => Answer::Made(made),
                Ok(Ok(Err(unbuilt))) => Answer::Unmade(unbuilt),
                Ok(Err(unfit)) => Answer::Unfit(unfit),
                Err(cause) => Answer::NotRead(cause.to_string()),
            };
            say(socket, &answer)?;
            continue;
        }
        let answer = match examine(&mut File::from(file)) {
            #[cfg(feature = "testing")]
            Ok(Ok(package)) => Answer::Listed(Box::new(rehearsal::play(package))),
            #[cfg(not(feature = "testing"))]
            Ok(Ok(package)) => Answer::Listed(Box::new(package)),
            Ok(Err(unfit)) => Answer::Unfit(unfit),
            Err(cause) => Answer::NotRead(cause.to_string()),
        };
        say(socket, &answer)?;
    }
    Ok(())
}

/// Judges the signatures of a package as a question wants it.
fn judged(file: OwnedFd, question: &Question) -> Answer {
    let parsed = question.certificates.iter().map(|text| Certificate::parse(text.as_bytes()));
    let certificates: Vec<Certificate> = match parsed.collect() {
        Ok(certificates) => certificates,
        Err(error) => return Answer::NotRead(error.to_string()),
    };
    let known: Vec<&Certificate> = certificates.iter().collect();
    match signatures::examine(&mut File::from(file), &known, question.now) {
        Ok(Ok(signed)) => Answer::Signed(signed),
        Ok(Err(unfit)) => Answer::Unfit(unfit),
        Err(cause) => Answer::NotRead(cause.to_string()),
    }
}

/// Hears the question that follows a descriptor: its length, then JSON.
fn hear<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<T> {
    let mut length = [0; 4];
    fill(socket, &mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > QUESTION_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a question is longer than any"));
    }
    let mut words = vec![0; length];
    fill(socket, &mut words)?;
    Ok(serde_json::from_slice(&words)?)
}

fn fill(socket: BorrowedFd<'_>, mut place: &mut [u8]) -> io::Result<()> {
    while !place.is_empty() {
        match rustix::io::read(socket, &mut *place) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => place = &mut place[count..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Takes the next descriptor and what to do with it; `None` once the daemon hung up.
fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<(u8, OwnedFd)>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            received => break received?,
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut files) = message
            && let Some(file) = files.next()
        {
            return Ok(Some((byte[0], file)));
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a package was announced and no descriptor came"))
}

/// Says something: its length, then JSON; what would be too long is unfit.
fn say(socket: BorrowedFd<'_>, words: &impl serde::Serialize) -> io::Result<()> {
    let mut bounded = Bounded { bytes: vec![0; 4] };
    if serde_json::to_writer(&mut bounded, words).is_err() {
        bounded.bytes.truncate(4);
        let words =
            "failed to accept the header of the RPM: what it lists fills more than 128 MiB".to_owned();
        let unfit = Answer::Unfit(Unfit { wrong: Wrong::Oversized, words });
        serde_json::to_writer(&mut bounded, &unfit)?;
    }
    let mut bytes = bounded.bytes;
    let length = u32::try_from(bytes.len() - 4).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        match send(socket, rest, SendFlags::NOSIGNAL) {
            Ok(sent) => rest = &rest[sent..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
