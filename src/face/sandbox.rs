//! How the child shuts itself off before it sees its first frame.
//!
//! After [`enter`] the process can read and write its two pipes, use memory and start threads of its own; it cannot
//! open a file, make a socket, start or look into another process, or leave a core dump. What the system does not
//! offer is not hidden: [`SandboxReport`] says it, and the parent shows it.

/// How far one side of the sandbox is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// As far as we ask for.
    Full,
    /// Only in part: the kernel is older than the restriction.
    Partly,
    /// Not at all.
    No,
}

/// What the child could shut before its first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SandboxReport {
    /// Files, TCP and signals, by the kernel's Landlock.
    pub files: Shut,
    /// System calls, by seccomp: no opening, no sockets, no programs, no other process.
    pub calls: Shut,
    /// Memory and processor limits, no core dump, not traceable.
    pub limits: Shut,
}

impl SandboxReport {
    /// Whether all sides are shut as far as we ask for.
    pub fn is_full(&self) -> bool {
        [self.files, self.calls, self.limits].iter().all(|shut| *shut == Shut::Full)
    }

    /// The report as the child sends it.
    pub(super) fn to_bytes(self) -> [u8; 3] {
        [self.files, self.calls, self.limits].map(|shut| match shut {
            Shut::Full => 2,
            Shut::Partly => 1,
            Shut::No => 0,
        })
    }

    /// Reads what the child sent.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let shut = |byte: &u8| match byte {
            2 => Some(Shut::Full),
            1 => Some(Shut::Partly),
            0 => Some(Shut::No),
            _ => None,
        };
        let [files, calls, limits] = bytes else { return None };
        Some(Self { files: shut(files)?, calls: shut(calls)?, limits: shut(limits)? })
    }
}

impl std::fmt::Display for SandboxReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |shut| match shut {
            Shut::Full => "full",
            Shut::Partly => "partly",
            Shut::No => "no",
        };
        write!(f, "files {}, calls {}, limits {}", word(self.files), word(self.calls), word(self.limits))
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::{bind_to_parent, enter};

/// Elsewhere nothing is shut, and the report says so.
#[cfg(not(target_os = "linux"))]
pub(super) fn enter() -> SandboxReport {
    SandboxReport { files: Shut::No, calls: Shut::No, limits: Shut::No }
}

/// Elsewhere the child ends when its pipe does.
#[cfg(not(target_os = "linux"))]
pub(super) fn bind_to_parent() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, RestrictionStatus, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
    };
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    };

    use super::{SandboxReport, Shut};

    /// Most address space. Measured need with the largest frame: 146 MB (SFace), 253 MB (dlib).
    const MEMORY_MAX: u64 = 1 << 30;
    /// Most processor seconds of one child; the parent replaces it long before.
    const CPU_SECONDS_MAX: u64 = 3_600;

    /// Asks for a kill when the thread that started this process ends, so that no child outlives the desk.
    pub(crate) fn bind_to_parent() {
        // SAFETY: plain numbers, no memory is handed over.
        #[allow(unsafe_code)]
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        }
    }

    /// Shuts the process off, as far as the system can, and says how far that is.
    ///
    /// Threads started before keep their rights: call it while there is one.
    pub(crate) fn enter() -> SandboxReport {
        let limits = if limited() { Shut::Full } else { Shut::No };
        let files = match no_files() {
            Ok(status) => match status.ruleset {
                RulesetStatus::FullyEnforced => Shut::Full,
                RulesetStatus::PartiallyEnforced => Shut::Partly,
                RulesetStatus::NotEnforced => Shut::No,
            },
            Err(_) => Shut::No,
        };
        let calls = if few_calls().is_ok() { Shut::Full } else { Shut::No };
        SandboxReport { files, calls, limits }
    }

    /// No new rights, no core dump, not traceable by others of this account; limits.
    fn limited() -> bool {
        let limits = [
            (libc::RLIMIT_AS, MEMORY_MAX),
            (libc::RLIMIT_CPU, CPU_SECONDS_MAX),
            (libc::RLIMIT_CORE, 0),
            (libc::RLIMIT_FSIZE, 0),
        ];
        // SAFETY: plain numbers, and a pointer to a limit that outlives the call.
        #[allow(unsafe_code)]
        unsafe {
            let quiet = libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
            limits.iter().fold(quiet, |all, &(which, most)| {
                let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
                libc::setrlimit(which, &limit) == 0 && all
            })
        }
    }

    /// Landlock with every right handled and none given.
    fn no_files() -> Result<RestrictionStatus, RulesetError> {
        let abi = ABI::V6;
        Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .scope(Scope::from_all(abi))?
            .create()?
            .restrict_self()
    }

    /// Seccomp: the calls below and no others; the rest answers "not permitted".
    fn few_calls() -> Result<(), Box<dyn std::error::Error>> {
        let arch = std::env::consts::ARCH.try_into()?;
        let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
        // Threads of this process, no processes.
        let thread = (libc::CLONE_VM | libc::CLONE_THREAD) as u64;
        allowed.insert(libc::SYS_clone, vec![masked(0, thread, thread)?]);
        // Memory may hold data, never code.
        let code = libc::PROT_EXEC as u64;
        allowed.insert(libc::SYS_mmap, vec![masked(2, code, 0)?]);
        allowed.insert(libc::SYS_mprotect, vec![masked(2, code, 0)?]);
        let name = u64::MAX >> 32;
        allowed.insert(libc::SYS_prctl, vec![masked(0, name, libc::PR_SET_NAME as u64)?]);
        let refused = SeccompAction::Errno(libc::EPERM as u32);
        let allowed: BpfProgram = SeccompFilter::new(allowed, refused, SeccompAction::Allow, arch)?.try_into()?;

        // The arguments of clone3 lie in memory, where a filter cannot look: it is said not to exist, and the C
        // library falls back to clone.
        let newer = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
        let absent = SeccompAction::Errno(libc::ENOSYS as u32);
        let absent: BpfProgram = SeccompFilter::new(newer, SeccompAction::Allow, absent, arch)?.try_into()?;

        seccompiler::apply_filter_all_threads(&absent)?;
        seccompiler::apply_filter_all_threads(&allowed)?;
        Ok(())
    }

    fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
        let width = SeccompCmpArgLen::Qword;
        SeccompRule::new(vec![SeccompCondition::new(argument, width, SeccompCmpOp::MaskedEq(mask), value)?])
    }

    /// What reading frames, computing and answering takes, in every C library and thread pool we link.
    const ALLOWED: &[i64] = &[
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_readv,
        libc::SYS_writev,
        libc::SYS_close,
        // memory
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        // threads
        libc::SYS_clone3,
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_tgkill,
        libc::SYS_exit,
        libc::SYS_exit_group,
        // time and randomness
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_getrandom,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_arrives_as_it_was_sent() {
        let report = SandboxReport { files: Shut::Partly, calls: Shut::Full, limits: Shut::No };
        assert_eq!(SandboxReport::from_bytes(&report.to_bytes()), Some(report));
        assert_eq!(SandboxReport::from_bytes(&[2, 2]), None);
        assert_eq!(SandboxReport::from_bytes(&[2, 2, 7]), None);
        assert_eq!(report.to_string(), "files partly, calls full, limits no");
    }
}
