//! What a caller shows with each of its calls.

use crate::ACCESS_HEADER;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Puts an access token into the metadata of every call of a client; or nothing, for a
/// caller that has none. Prints nothing of it.
#[derive(Clone)]
pub struct Pass(Option<AsciiMetadataValue>);

impl Pass {
    /// Shows this token.
    ///
    /// # Panics
    /// When it is not plain ASCII, which every token of a cluster key is.
    pub fn new(token: &str) -> Self {
        let mut token: AsciiMetadataValue = token.parse().expect("a token is plain ASCII");
        token.set_sensitive(true);
        Pass(Some(token))
    }

    /// Shows nothing.
    pub fn none() -> Self {
        Pass(None)
    }

    /// Whether there is something to show.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Shows it with this one request.
    pub fn show<T>(&self, request: &mut Request<T>) {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert(ACCESS_HEADER, token.clone());
        }
    }
}

impl Interceptor for Pass {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        self.show(&mut request);
        Ok(request)
    }
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pass(..)")
    }
}
