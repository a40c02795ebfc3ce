//! How long things may be on the socket. How long names and lines of chat may be is a
//! matter of what people take for a character: see `hangraft_text`.

/// The longest frame a client may send, in bytes. A longer one closes the socket.
pub const FRAME_BYTES_MAX: usize = 8 << 10;

/// The longest request id that is echoed, in bytes of JSON. One longer is refused.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// The longest name of a game, or of a state, that is looked at, in bytes; there is no
/// longer one.
pub const GAME_BYTES_MAX: usize = 32;
