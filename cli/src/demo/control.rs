//! Asking a running demo to restart one of its processes, or to start another node.
//!
//! Only the demo itself can: its processes must be its children, so that they end
//! with it. It listens on a socket in its folder; one line goes in, `restart n1` or `spare`,
//! and one line comes back, `done 123` with the new process id, `done n4` with the new node's
//! name, or `failed` with the reason.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

/// The socket's name in the demo's folder.
const FILE: &str = "control.sock";

/// The longest request, in bytes. Whoever sends more is cut off there.
const REQUEST_BYTES_MAX: u64 = 256;

/// How long whoever connects may take to say what it wants. Others wait meanwhile.
const REQUEST: Duration = Duration::from_secs(1);

/// How long a wish may take: the demo gives a process its time to stop first.
const ANSWER: Duration = Duration::from_secs(20);

/// The demo's end.
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

/// Someone wants something.
pub(super) struct Request {
    pub(super) wish: Wish,
    stream: UnixStream,
}

/// What can be wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// This process, again.
    Restart(String),
    /// One more node.
    Spare,
}

impl Control {
    /// Listens in `dir`, which must be this demo's alone: what an earlier one
    /// left behind is removed.
    pub(super) fn listen(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        match fs::remove_file(&path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                return Err(err).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => (),
        }
        let listener = UnixListener::bind(&path).with_context(|| {
            format!(
                "cannot listen at {}; is its path too long? choose a shorter --dir",
                path.display()
            )
        })?;
        Ok(Self { listener, path })
    }

    /// The next request that makes sense. Whoever calls this off may lose one.
    pub(super) async fn next(&self) -> Request {
        loop {
            // Someone who connects and leaves, or babbles, is not answered.
            if let Ok((stream, _)) = self.listener.accept().await
                && let Ok(Some(request)) = timeout(REQUEST, read(stream)).await
            {
                return request;
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.path);
    }
}

impl Request {
    /// Answers. Whoever asked may have gone, which is their business.
    pub(super) async fn answer(mut self, result: &anyhow::Result<String>) {
        let line = match result {
            Ok(done) => format!("done {done}\n"),
            Err(err) => format!("failed {err:#}\n"),
        };
        _ = timeout(REQUEST, self.stream.write_all(line.as_bytes())).await;
    }
}

async fn read(mut stream: UnixStream) -> Option<Request> {
    let mut line = String::new();
    BufReader::new((&mut stream).take(REQUEST_BYTES_MAX)).read_line(&mut line).await.ok()?;
    let wish = match line.trim_end().split_once(' ') {
        Some(("restart", name)) => Wish::Restart(name.into()),
        None if line.trim_end() == "spare" => Wish::Spare,
        _ => return None,
    };
    Some(Request { wish, stream })
}

/// Asks the demo in `dir` to restart a process; its new process id.
pub(super) async fn restart(dir: &Path, name: &str) -> anyhow::Result<u32> {
    let done = wish(dir, &format!("restart {name}")).await?;
    done.parse().context("the demo is of another version")
}

/// Asks the demo in `dir` to start one more node; its name.
pub(super) async fn spare(dir: &Path) -> anyhow::Result<String> {
    wish(dir, "spare").await
}

async fn wish(dir: &Path, line: &str) -> anyhow::Result<String> {
    let path = dir.join(FILE);
    let stream = UnixStream::connect(&path).await.map_err(|_| {
        anyhow!(
            "no demo runs in {dir}; start it with `hangraft demo --dir {dir}`",
            dir = dir.display()
        )
    })?;
    let answer = timeout(ANSWER, ask(stream, line))
        .await
        .map_err(|_| anyhow!("the demo did not answer within {ANSWER:?}; is it paused?"))?
        .context("the demo stopped while it was asked")?;
    match answer.trim_end().split_once(' ') {
        Some(("done", done)) => Ok(done.into()),
        Some(("failed", reason)) => bail!("{reason}"),
        _ => bail!("the demo is of another version"),
    }
}

async fn ask(mut stream: UnixStream, line: &str) -> io::Result<String> {
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A wish goes in and its answer comes back, also after one who only babbled.
    #[tokio::test]
    async fn a_wish_is_asked_for_and_answered() {
        let dir = TempDir::new().unwrap();
        let control = Control::listen(dir.path()).unwrap();
        let served = tokio::spawn(async move {
            let restart = |name: &str| Wish::Restart(name.into());
            for (wish, result) in [
                (restart("n1"), Ok("42".to_owned())),
                (restart("n9"), Err(anyhow!("there is no n9"))),
                (Wish::Spare, Ok("n4".to_owned())),
            ] {
                let request = control.next().await;
                assert_eq!(request.wish, wish);
                request.answer(&result).await;
            }
        });
        let mut babbler = UnixStream::connect(dir.path().join(FILE)).await.unwrap();
        babbler.write_all(&[b'x'; 1000]).await.unwrap();
        assert_eq!(restart(dir.path(), "n1").await.unwrap(), 42);
        assert_eq!(restart(dir.path(), "n9").await.unwrap_err().to_string(), "there is no n9");
        assert_eq!(spare(dir.path()).await.unwrap(), "n4");
        served.await.unwrap();
    }

    #[tokio::test]
    async fn without_a_demo_it_says_how_to_start_one() {
        let dir = TempDir::new().unwrap();
        let err = restart(dir.path(), "n1").await.unwrap_err();
        assert!(err.to_string().contains("hangraft demo --dir"), "{err}");
    }
}
