//! What happened, told line by line, virtual time first.
//!
//! Every line and every byte delivered goes into a digest, so that two runs of one
//! seed can be compared without their text; the text is printed only when asked
//! for. Telling draws no dice and asks no clock: a world does the same whether
//! anybody listens or not.

use std::fmt::{Arguments, Write};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use xxhash_rust::xxh3::Xxh3;

/// Tells what happens. Clones tell the same story.
#[derive(Clone)]
pub(crate) struct Story(Arc<Mutex<Inner>>);

struct Inner {
    digest: Xxh3,
    aloud: bool,
    line: String,
    /// The machine that runs now, and the names of all.
    inside: Option<usize>,
    names: Vec<String>,
    now: u64,
}

impl Story {
    /// With `aloud`, each line is printed.
    pub(crate) fn new(aloud: bool) -> Self {
        let inner = Inner {
            digest: Xxh3::new(),
            aloud,
            line: String::new(),
            inside: None,
            names: Vec::new(),
            now: 0,
        };
        Story(Arc::new(Mutex::new(inner)))
    }

    /// One more line.
    pub(crate) fn tell(&self, now: u64, line: Arguments<'_>) {
        let mut inner = self.lock();
        inner.now = now;
        inner.line.clear();
        inner.line.write_fmt(line).expect("a string takes everything");
        let Inner { digest, line, .. } = &mut *inner;
        digest.update(&now.to_le_bytes());
        digest.update(line.as_bytes());
        if inner.aloud {
            inner.print("");
        }
    }

    /// Bytes were delivered.
    pub(crate) fn weigh(&self, now: u64, bytes: &[u8]) {
        let mut inner = self.lock();
        inner.now = now;
        inner.digest.update(&now.to_le_bytes());
        inner.digest.update(bytes);
    }

    /// A number that is the same for two runs that did the same.
    pub(crate) fn digest(&self) -> u64 {
        self.lock().digest.digest()
    }

    /// What machines log now belongs to this one.
    pub(crate) fn enter(&self, machine: Option<usize>) {
        self.lock().inside = machine;
    }

    /// How machines are called, in the order of their numbers.
    pub(crate) fn call_them(&self, names: Vec<String>) {
        self.lock().names = names;
    }

    /// How a machine is called.
    pub(crate) fn name_of(&self, machine: usize) -> String {
        self.lock().names.get(machine).cloned().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("nothing panics while the story is held")
    }
}

impl Inner {
    fn print(&self, mark: &str) {
        let (seconds, micros) = (self.now / 1_000_000_000, self.now / 1_000 % 1_000_000);
        let name = self.inside.and_then(|id| self.names.get(id)).map_or("", String::as_str);
        println!("{seconds:>3}.{micros:06} {name:<8}{mark} {}", self.line);
    }
}

/// Puts what the software logs into the story, when it is told aloud. In the other
/// case nothing is formatted.
pub(crate) struct Logs {
    pub(crate) story: Story,
    pub(crate) aloud: bool,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.expect("a string takes everything");
    }
}

impl tracing::Subscriber for Logs {
    fn enabled(&self, about: &tracing::Metadata<'_>) -> bool {
        let ours = about.target().starts_with("hangraft");
        let most = if ours { tracing::Level::DEBUG } else { tracing::Level::INFO };
        self.aloud && about.is_event() && *about.level() <= most
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        // What is logged while a line is told is not worth a deadlock.
        let Ok(mut inner) = self.story.0.try_lock() else { return };
        inner.line.clear();
        let about = event.metadata();
        write!(inner.line, "{} {}: ", about.level(), about.target()).expect("takes everything");
        event.record(&mut Fields(&mut inner.line));
        inner.print(" |");
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
