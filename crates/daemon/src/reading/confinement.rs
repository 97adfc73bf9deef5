//! What a worker forbids itself before it reads the first byte of a package.
#![expect(
    clippy::disallowed_methods,
    reason = "a worker volunteers to be the first that dies for want of memory"
)]

use std::collections::BTreeMap;
use std::os::fd::AsRawFd as _;

use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// What a worker may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory, the program itself included.
    pub address_space: u64,
    /// Seconds of computing, for all packages of one worker together; one that hashes packages has more, by their size.
    pub cpu_seconds: u64,
}

/// How many bytes a worker must hash in a second: a tenth of what an old processor does with all the digests that a
/// package can demand, so that an honest package of any size is judged and one that makes the worker spin ends it.
const BYTES_A_SECOND: u64 = 16 << 20;

/// Tells how many seconds of computing so many bytes may cost.
pub(super) fn seconds_to_hash(bytes: u64) -> u64 {
    bytes / BYTES_A_SECOND
}

impl Limits {
    /// Gives the limits of a worker that is to hash so many bytes more than any may.
    pub(super) fn to_hash(self, bytes: u64) -> Self {
        Self { cpu_seconds: self.cpu_seconds.saturating_add(seconds_to_hash(bytes)), ..self }
    }
}

impl Default for Limits {
    /// Several times what the largest header needs that rpm takes from an honest build.
    fn default() -> Self {
        Self { address_space: 1 << 30, cpu_seconds: 30 }
    }
}

/// Restricts this process for good; gives in words what this kernel, or what is above us, does not allow.
///
/// The limits on resources are demanded; the filter of system calls is on top where it can be had.
pub(super) fn confine(limits: &Limits) -> Result<Option<String>, std::io::Error> {
    // Only a hint to the kernel, and only where /proc is.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // One descriptor more than there are: the package that is read.
    let next = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?.as_raw_fd();
    let descriptors = u64::from(next.unsigned_abs()) + 1;
    let exactly = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    for (resource, most) in [
        (Resource::As, limits.address_space),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
        (Resource::Nofile, descriptors),
    ] {
        setrlimit(resource, exactly(most))?;
    }
    let seconds = limits.cpu_seconds;
    setrlimit(Resource::Cpu, Rlimit { current: Some(seconds), maximum: Some(seconds + 1) })?;
    Ok(filter_system_calls().err().map(|why| format!("no filter of system calls: {why}")))
}

/// Lets through what memory, the socket and an orderly end need; everything else fails with EPERM.
fn filter_system_calls() -> Result<(), String> {
    let architecture = std::env::consts::ARCH.try_into().map_err(|error| format!("{error:?}"))?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_sendto,
        libc::SYS_recvmsg,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_lseek,
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_tgkill,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect();
    // Memory is for values, never for code.
    let executable = libc::PROT_EXEC.unsigned_abs().into();
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        let plain = SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0)
            .and_then(|condition| SeccompRule::new(vec![condition]))
            .map_err(|error| error.to_string())?;
        rules.insert(call, vec![plain]);
    }
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, architecture);
    let program: BpfProgram =
        filter.and_then(TryInto::try_into).map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| match error {
        seccompiler::Error::Seccomp(cause) | seccompiler::Error::Prctl(cause) => cause.to_string(),
        error => error.to_string(),
    })
}
