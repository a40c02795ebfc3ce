//! How a socket ends, and what its client is told.

use hangraft_proto::socket::ByeCode;

/// How a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(crate) code: ByeCode,
    pub(crate) message: &'static str,
    /// The websocket's close code.
    pub(crate) close: u16,
    /// The client has been told why; only the close is left to say.
    pub(crate) told: bool,
}

impl Farewell {
    /// There is no place for this client.
    pub(crate) const FULL: Self =
        Self::new(ByeCode::Full, 1013, "this frontend is full; try another, or later");

    // Close codes are those of RFC 6455, section 7.4, and its registry at IANA.
    pub(crate) const IDLE: Self =
        Self::new(ByeCode::Idle, 1000, "nothing was heard for over a minute");
    pub(crate) const SILENT: Self =
        Self::new(ByeCode::NoHello, 1008, "say hello within ten seconds");
    pub(crate) const MALFORMED: Self =
        Self::new(ByeCode::BadFrame, 1002, "that is no WebSocket frame");
    pub(crate) const NOT_UTF8: Self = Self::new(ByeCode::BadFrame, 1007, "a text frame is UTF-8");
    pub(crate) const OVERSIZE: Self =
        Self::new(ByeCode::TooLarge, 1009, "a frame has at most 8 KiB");
    pub(crate) const ABUSE: Self =
        Self::new(ByeCode::Abuse, 1008, "too many frames that make no sense");
    pub(crate) const HASTE: Self = Self::new(ByeCode::Abuse, 1008, "far too many frames");
    pub(crate) const SLOW: Self =
        Self::new(ByeCode::Slow, 1013, "this socket does not keep up; come back");
    pub(crate) const STOPPING: Self =
        Self::new(ByeCode::Restarting, 1012, "this frontend is restarting");
    pub(crate) const MOVING: Self = Self {
        told: true,
        ..Self::new(ByeCode::Moving, 1001, "this frontend is about to stop; go on at another one")
    };

    const fn new(code: ByeCode, close: u16, message: &'static str) -> Self {
        Self { code, message, close, told: false }
    }
}
