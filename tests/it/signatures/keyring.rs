//! Keys of real gpg, in a home of their own.

use std::fs;
use std::process::Command;

use camino::Utf8PathBuf;
use testkit::{Sandbox, program, run};

/// A home of gpg; its agent ends when it is dropped.
pub struct Keyring {
    home: Utf8PathBuf,
    files: Utf8PathBuf,
    made: std::cell::Cell<u32>,
}

impl Keyring {
    pub fn new(sandbox: &Sandbox) -> Keyring {
        let home = sandbox.folder("gpg");
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
        fs::set_permissions(&home, mode).unwrap();
        Keyring { home, files: sandbox.folder("keys"), made: std::cell::Cell::new(0) }
    }

    /// Begins a command of gpg, as of `time` (`20240101T000000`) if that is not empty.
    pub fn gpg(&self, time: &str) -> Command {
        let mut command = program("gpg");
        command.arg("--homedir").arg(&self.home).args(["--batch", "--yes", "--quiet", "--no-tty"]);
        command.args(["--pinentry-mode", "loopback", "--passphrase", ""]);
        if !time.is_empty() {
            command.args(["--faked-system-time", &format!("{time}!")]);
        }
        command
    }

    /// Makes a primary key for signing and returns its fingerprint.
    pub fn make(&self, name: &str, algorithm: &str, expires: &str, time: &str) -> String {
        run(self.gpg(time).args(["--quick-generate-key", name, algorithm, "sign,cert", expires])).ok();
        self.fingerprints(name).remove(0)
    }

    /// Adds a subkey for signing and returns its fingerprint.
    pub fn add_subkey(&self, primary: &str, algorithm: &str, expires: &str, time: &str) -> String {
        run(self.gpg(time).args(["--quick-add-key", primary, algorithm, "sign", expires])).ok();
        self.fingerprints(primary).pop().unwrap()
    }

    /// Lists the fingerprints of a key: its own first, then those of its subkeys.
    fn fingerprints(&self, key: &str) -> Vec<String> {
        let listed = run(self.gpg("").args(["--with-colons", "--list-keys", key])).ok().stdout;
        let rows = listed.lines().filter_map(|line| line.strip_prefix("fpr:::::::::"));
        rows.map(|row| row.trim_end_matches(':').to_owned()).collect()
    }

    /// Revokes a primary key, with the certificate gpg made for that.
    pub fn revoke(&self, primary: &str) {
        let file = self.home.join(format!("openpgp-revocs.d/{primary}.rev"));
        let text = fs::read_to_string(&file).unwrap().replace(":-----BEGIN", "-----BEGIN");
        fs::write(&file, text).unwrap();
        run(self.gpg("").arg("--import").arg(&file)).ok();
    }

    /// Revokes the first subkey, as superseded.
    pub fn revoke_subkey(&self, primary: &str) {
        let said = self.files.join("said");
        fs::write(&said, "key 1\nrevkey\ny\n2\n\ny\nsave\n").unwrap();
        let mut command = self.gpg("");
        command.args(["--command-fd", "0", "--edit-key", primary]);
        run(command.stdin(fs::File::open(&said).unwrap())).ok();
    }

    /// Signs bytes by a key or subkey, with more options.
    pub fn sign(&self, key: &str, bytes: &[u8], time: &str, options: &[&str]) -> Vec<u8> {
        let number = self.made.get();
        self.made.set(number + 1);
        let (data, signature) =
            (self.files.join(format!("{number}")), self.files.join(format!("{number}.sig")));
        fs::write(&data, bytes).unwrap();
        let mut command = self.gpg(time);
        command.args(["--local-user", &format!("{key}!")]).args(options);
        run(command.args(["--detach-sign", "--output"]).arg(&signature).arg(&data)).ok();
        fs::read(&signature).unwrap()
    }

    /// Writes the certificate of a key, as it is handed out.
    pub fn export(&self, key: &str) -> Utf8PathBuf {
        let file = self.files.join(format!("RPM-GPG-KEY-{key}"));
        run(self.gpg("").args(["--armor", "--output"]).arg(&file).args(["--export", key])).ok();
        file
    }

    /// Signs a file as package builders do.
    pub fn rpmsign(&self, key: &str, file: &camino::Utf8Path) {
        let mut command = program("rpmsign");
        command.args(["--define", &format!("_gpg_name {key}!"), "--define", "__gpg /usr/bin/gpg"]);
        command.args(["--define", &format!("_gpg_path {}", self.home)]);
        run(command.arg("--addsign").arg(file)).ok();
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        testkit::end_agent(&self.home);
    }
}
