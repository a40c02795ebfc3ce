//! How a socket ends, and what its client is told.

/// How a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    /// The websocket's close code.
    pub(crate) close: u16,
    /// The client has been told why; only the close is left to say.
    pub(crate) told: bool,
}

impl Farewell {
    /// Every code there is.
    pub(crate) const CODES: [&str; 9] = [
        "idle",
        "no-hello",
        "full",
        "too-large",
        "bad-frame",
        "abuse",
        "slow",
        "restarting",
        "moving",
    ];

    /// There is no place for this client.
    pub(crate) const FULL: Self =
        Self::new("full", 1013, "this frontend is full; try another, or later");

    // Close codes are those of RFC 6455, section 7.4, and its registry at IANA.
    pub(crate) const IDLE: Self = Self::new("idle", 1000, "nothing was heard for over a minute");
    pub(crate) const SILENT: Self = Self::new("no-hello", 1008, "say hello within ten seconds");
    pub(crate) const MALFORMED: Self = Self::new("bad-frame", 1002, "that is no WebSocket frame");
    pub(crate) const NOT_UTF8: Self = Self::new("bad-frame", 1007, "a text frame is UTF-8");
    pub(crate) const OVERSIZE: Self = Self::new("too-large", 1009, "a frame has at most 8 KiB");
    pub(crate) const ABUSE: Self = Self::new("abuse", 1008, "too many frames that make no sense");
    pub(crate) const HASTE: Self = Self::new("abuse", 1008, "far too many frames");
    pub(crate) const SLOW: Self =
        Self::new("slow", 1013, "this socket does not keep up; come back");
    pub(crate) const STOPPING: Self = Self::new("restarting", 1012, "this frontend is restarting");
    pub(crate) const MOVING: Self = Self {
        told: true,
        ..Self::new("moving", 1001, "this frontend is about to stop; go on at another one")
    };

    const fn new(code: &'static str, close: u16, message: &'static str) -> Self {
        Self { code, message, close, told: false }
    }
}
