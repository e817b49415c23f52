//! What can be found, with its grade and its word in the log.

/// What is looked at, in the order in which it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A way to the internet.
    Internet,
    /// Programs for help from afar.
    RemoteHelp,
    /// Encryption of data folder and swap.
    Disk,
    /// Password at login.
    Login,
    /// Automatic lock of the screen.
    ScreenLock,
    /// Programs that pose as a camera.
    VirtualCamera,
    /// Who else may reach the files.
    Files,
    /// The clock.
    Clock,
    /// Free room.
    Room,
    /// Cameras that nobody accepted.
    Cameras,
}

impl Check {
    /// All.
    pub const ALL: [Self; 10] = [
        Self::Internet,
        Self::RemoteHelp,
        Self::Disk,
        Self::Login,
        Self::ScreenLock,
        Self::VirtualCamera,
        Self::Files,
        Self::Clock,
        Self::Room,
        Self::Cameras,
    ];

    /// The word in the exported report.
    pub fn label(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::RemoteHelp => "remote-help",
            Self::Disk => "disk-encryption",
            Self::Login => "login-password",
            Self::ScreenLock => "screen-lock",
            Self::VirtualCamera => "virtual-camera",
            Self::Files => "data-files",
            Self::Clock => "clock",
            Self::Room => "free-room",
            Self::Cameras => "cameras",
        }
    }
}

/// How grave a finding is, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Well,
    /// Face entry goes on; somebody should see to it.
    Warn,
    /// Could not be told; as good as [`Grade::CardOnly`] for a condition of rule L1.
    Unknown,
    /// Cards only until it is set right.
    CardOnly,
    /// Somebody may be looking or putting pictures in just now: cards only, and every staff page says so.
    Stop,
}

impl Grade {
    /// The word in the exported report.
    pub fn label(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::CardOnly => "card-only",
            Self::Stop => "stop",
        }
    }
}

macro_rules! findings {
    ($($(#[$doc:meta])* $name:ident: $check:ident, $grade:ident, $label:literal;)*) => {
        /// What was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum What { $($(#[$doc])* $name,)* }

        impl What {
            /// All.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What was looked at.
            pub fn check(self) -> Check {
                match self { $(Self::$name => Check::$check,)* }
            }

            /// How grave it is.
            pub fn grade(self) -> Grade {
                match self { $(Self::$name => Grade::$grade,)* }
            }

            /// The word in the log and in the exported report. Part of their format.
            pub fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }
    };
}

findings! {
    /// No route leads beyond private addresses.
    NoRouteOut: Internet, Well, "no-route-out";
    /// A route leads to the internet.
    RouteOut: Internet, Stop, "route-out";
    /// This machine has an address of the internet.
    PublicAddress: Internet, Stop, "public-address";
    /// Routes could not be read.
    RoutesUnread: Internet, Unknown, "routes-unread";
    /// None of the known programs.
    NoRemoteHelp: RemoteHelp, Well, "no-remote-help";
    /// A remote-help program runs, or its port is open.
    RemoteHelpRuns: RemoteHelp, Stop, "remote-help-runs";
    /// A remote-help program is installed.
    RemoteHelpInstalled: RemoteHelp, CardOnly, "remote-help-installed";
    /// A program that can share the screen runs or starts by itself.
    SharingRuns: RemoteHelp, CardOnly, "sharing-runs";
    /// A program that can share the screen is installed and switched off.
    SharingInstalled: RemoteHelp, Warn, "sharing-installed";
    /// A remote shell answers.
    RemoteShell: RemoteHelp, Warn, "remote-shell";
    /// Programs could not be listed.
    ProgramsUnread: RemoteHelp, Unknown, "programs-unread";
    /// Data folder and swap are encrypted, or in memory only.
    DiskEncrypted: Disk, Well, "disk-encrypted";
    /// The data folder lies on a disk that is not encrypted.
    DataPlain: Disk, CardOnly, "data-plain";
    /// Memory is swapped to a disk that is not encrypted.
    SwapPlain: Disk, CardOnly, "swap-plain";
    /// It could not be told.
    DiskUnread: Disk, Unknown, "disk-unread";
    /// A password is asked for.
    PasswordSet: Login, Well, "password-set";
    /// An account needs no password.
    NoPassword: Login, CardOnly, "no-password";
    /// The machine logs somebody in by itself.
    AutomaticLogin: Login, CardOnly, "automatic-login";
    /// It could not be told.
    LoginUnread: Login, Unknown, "login-unread";
    /// The screen locks by itself.
    ScreenLocks: ScreenLock, Well, "screen-locks";
    /// The screen never locks by itself.
    ScreenNeverLocks: ScreenLock, CardOnly, "screen-never-locks";
    /// It could not be told.
    ScreenLockUnread: ScreenLock, Warn, "screen-lock-unread";
    /// Every camera is a device.
    NoVirtualCamera: VirtualCamera, Well, "no-virtual-camera";
    /// A program poses as a camera (L2: no picture is imported).
    VirtualCameraThere: VirtualCamera, Stop, "virtual-camera";
    /// Cameras could not be listed.
    VirtualCameraUnread: VirtualCamera, Unknown, "virtual-camera-unread";
    /// Only this account reaches the vault's files.
    FilesClosed: Files, Well, "files-closed";
    /// Other accounts may read or write some of them.
    FilesOpen: Files, CardOnly, "files-open";
    /// Some of them belong to another account.
    FilesOfOthers: Files, CardOnly, "files-of-others";
    /// It could not be told.
    FilesUnread: Files, Unknown, "files-unread";
    /// The clock runs on.
    ClockSound: Clock, Well, "clock-sound";
    /// The clock is behind what was written already.
    ClockBehind: Clock, CardOnly, "clock-behind";
    /// The clock was set while the program ran.
    ClockMoved: Clock, Warn, "clock-moved";
    /// There is room.
    RoomEnough: Room, Well, "room-enough";
    /// Less than a gigabyte is free.
    RoomLittle: Room, Warn, "room-little";
    /// It could not be told.
    RoomUnread: Room, Warn, "room-unread";
    /// The cameras are known ones.
    CamerasAsBefore: Cameras, Well, "cameras-as-before";
    /// A camera that nobody accepted.
    CameraAppeared: Cameras, Warn, "camera-appeared";
    /// No camera.
    NoCamera: Cameras, Warn, "no-camera";
}
