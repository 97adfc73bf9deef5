//! A keyring of the real gpg, with keys made for one test.

use std::io::Write as _;
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Sandbox, program, run};

/// A private GNUPGHOME; its agent goes with it.
#[derive(Debug)]
pub struct Gnupg {
    home: Utf8PathBuf,
}

impl Gnupg {
    /// Makes an empty one in the sandbox.
    #[must_use]
    pub fn new(sandbox: &Sandbox, name: &str) -> Self {
        let home = sandbox.folder(name);
        // gpg complains of one that others may enter.
        run(program("chmod").arg("700").arg(&home)).ok();
        Self { home }
    }

    /// Returns the GNUPGHOME.
    #[must_use]
    pub fn home(&self) -> &Utf8Path {
        &self.home
    }

    /// Makes a key for somebody that never expires, without a passphrase, and returns its fingerprint.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        self.key_of(name, "never", &[])
    }

    /// Makes a key that expires as gpg is told (`1d`, `never`), with options such as `--faked-system-time`.
    #[must_use]
    pub fn key_of(&self, name: &str, expires: &str, options: &[&str]) -> String {
        let user = format!("{name} <{name}@example.org>");
        let mut gpg = self.gpg();
        gpg.args(options).args([
            "--passphrase",
            "",
            "--quick-generate-key",
            &user,
            "rsa2048",
            "sign",
            expires,
        ]);
        run(&mut gpg).ok();
        let listed = run(self.gpg().args(["--with-colons", "--list-keys", &user])).ok().stdout;
        let line = listed.lines().find(|line| line.starts_with("fpr:"));
        line.and_then(|line| line.split(':').nth(9)).expect("gpg tells the fingerprint").to_owned()
    }

    /// Returns the certificate of a key, armoured.
    #[must_use]
    pub fn certificate(&self, fingerprint: &str) -> String {
        run(self.gpg().args(["--armor", "--export", fingerprint])).ok().stdout
    }

    /// Signs bytes as a signer does: detached and armoured.
    #[must_use]
    pub fn sign(&self, fingerprint: &str, bytes: &[u8], options: &[&str]) -> Vec<u8> {
        let mut gpg = self.gpg();
        gpg.args(options).args(["--local-user", fingerprint, "--armor", "--detach-sign", "--output", "-"]);
        let mut child =
            gpg.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("failed to start gpg");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        stdin.write_all(bytes).expect("gpg takes what it is to sign");
        drop(stdin);
        let made = child.wait_with_output().expect("gpg ends");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success() && !made.stdout.is_empty(), "gpg did not sign: {said}");
        made.stdout
    }

    fn gpg(&self) -> std::process::Command {
        let mut gpg = program("gpg");
        gpg.args(["--homedir", self.home.as_str(), "--batch", "--no-tty", "--quiet"]);
        gpg
    }
}

impl Drop for Gnupg {
    fn drop(&mut self) {
        end_agent(&self.home);
    }
}

/// Ends the agent of a GNUPGHOME, and takes its sockets away. One that was never started, or ended by itself, is well.
pub fn end_agent(home: &Utf8Path) {
    for what in [&["--kill", "all"][..], &["--remove-socketdir"]] {
        let mut end = program("gpgconf");
        end.args(["--homedir", home.as_str()]).args(what);
        let _ = end.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
