//! A real Apache with the configuration that is deployed.
#![expect(clippy::disallowed_methods, reason = "runs Apache on a port the kernel chose")]

use std::fs;
use std::net::TcpListener;
use std::process::Child;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Sandbox, Watch, checkout, is_root, program, run};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often another port is tried: Apache takes no socket that is open, so somebody may be faster.
const ATTEMPTS: usize = 5;

/// Where Debian keeps the modules, and which of them the configuration needs besides what is built in.
const MODULES: &str = "/usr/lib/apache2/modules";
const NEEDED: [&str; 9] =
    ["mpm_event", "authz_core", "authz_host", "alias", "dir", "headers", "mime", "setenvif", "env"];

/// A running Apache that serves the public half of one site; stopped when dropped.
#[derive(Debug)]
pub struct Apache {
    master: Child,
    base_url: String,
}

impl Apache {
    /// Starts one for the site whose ROOT is given, with `deploy/apache/sluice.conf` and rules for restricted stages.
    ///
    /// # Panics
    /// If Apache refuses the configuration, with what it says about it.
    #[must_use]
    pub fn start(sandbox: &Sandbox, site_root: &Utf8Path, restricted: &str) -> Self {
        for _ in 0..ATTEMPTS {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("failed to bind a loopback port");
            let port = listener.local_addr().expect("a bound socket has an address").port();
            let folder = sandbox.folder(&format!("apache-{port}"));
            drop(listener);
            if let Some(apache) = attempt(&folder, port, site_root, restricted) {
                return apache;
            }
        }
        panic!("Apache got none of {ATTEMPTS} ports");
    }

    /// Returns where it answers, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

fn attempt(folder: &Utf8PathBuf, port: u16, site_root: &Utf8Path, restricted: &str) -> Option<Apache> {
    let deployed =
        fs::read_to_string(checkout().join("deploy/apache/sluice.conf")).expect("the deployed file");
    let substituted = deployed
        .replace("/srv/sluice", site_root.as_str())
        .replace("/etc/sluice/web/apache*.conf", &format!("{folder}/restricted*.conf"))
        .replace("*:80", &format!("127.0.0.1:{port}"));
    fs::write(folder.join("restricted.conf"), restricted).expect("failed to write the rules");
    fs::write(folder.join("sluice.conf"), substituted).expect("failed to write sluice.conf");
    let modules: String =
        NEEDED.iter().map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n")).collect();
    // Only what Debian's own apache2.conf would bring: where its files are, and that all else is closed. A connection is
    // kept for long, so that none is closed under a request of a client that was stopped meanwhile.
    let user = if is_root() { "User www-data\nGroup www-data\n" } else { "" };
    let main = format!(
        "ServerRoot {folder}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {folder}/run/pid\n\
         ErrorLog {folder}/error.log\nKeepAliveTimeout 600\nDefaultRuntimeDir {folder}/run\n{modules}{user}TypesConfig /dev/null\n\
         <Directory />\n    AllowOverride None\n    Require all denied\n</Directory>\n\
         Include {folder}/sluice.conf\n"
    );
    fs::write(folder.join("apache2.conf"), main).expect("failed to write apache2.conf");
    fs::create_dir_all(folder.join("run")).expect("failed to make a folder");
    let apache = || {
        let mut command = program("setpriv");
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        command.args(["--pdeathsig", "KILL", "--", "apache2", "-d"]).arg(folder);
        command.arg("-f").arg(folder.join("apache2.conf"));
        command
    };
    run(apache().arg("-t")).ok();
    let log = fs::File::create(folder.join("run/said")).expect("failed to make a file");
    let watch = Watch::on(&[&folder.join("run"), folder]);
    let mut command = apache();
    let mut master = (command.arg("-DFOREGROUND").stderr(log).spawn())
        .unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
    // It writes its number once it listens.
    let listening = watch.until(PATIENCE, || {
        let ended = master.try_wait().expect("a child can be waited for").is_some();
        (ended || folder.join("run/pid").is_file()).then_some(!ended)
    });
    if listening == Some(true) {
        return Some(Apache { master, base_url: format!("http://127.0.0.1:{port}") });
    }
    let said = fs::read_to_string(folder.join("run/said")).unwrap_or_default();
    let logged = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
    assert!(said.contains("Address already in use"), "Apache does not start: {said}{logged}");
    None
}

impl Drop for Apache {
    fn drop(&mut self) {
        let master = nix::unistd::Pid::from_raw(self.master.id().cast_signed());
        let _ = nix::sys::signal::kill(master, nix::sys::signal::Signal::SIGTERM);
        let _ = self.master.wait();
    }
}
