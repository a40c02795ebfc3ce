//! Small files of JSON, read whole and replaced whole.

use crate::storage::Files;
use serde::Serialize;
use std::io;
use std::sync::Arc;

/// More than any of them has. What is longer is cut there, and no JSON any more.
const BYTES_MAX: usize = 64 << 10;

/// What a file holds; `None` where there is no such file.
pub(crate) async fn read(files: &Arc<dyn Files>, name: &str) -> io::Result<Option<Vec<u8>>> {
    if !files.list().await?.iter().any(|there| there == name) {
        return Ok(None);
    }
    let mut reader = files.open(name).await?;
    let mut bytes = Vec::new();
    loop {
        let more = reader.read(BYTES_MAX).await?;
        if more.is_empty() || bytes.len() > BYTES_MAX {
            return Ok(Some(bytes));
        }
        bytes.extend_from_slice(&more);
    }
}

/// Replaces a file by one with this content, durably.
pub(crate) async fn replace<T: Serialize>(
    files: &Arc<dyn Files>,
    name: &str,
    content: &T,
) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(content).map_err(io::Error::other)?;
    let mut writer = files.create(name).await?;
    writer.append(text.into()).await?;
    writer.commit().await
}
