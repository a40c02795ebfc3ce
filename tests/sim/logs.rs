//! What libraries log, for whoever asks for it; it stands between the lines of the story.

use crate::story::Story;
use std::fmt::Write;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Filter;

/// Puts what the software logs between the lines of a story, as far as it is wanted. The
/// rest is not even formatted.
pub(crate) struct Logs {
    pub(crate) story: Story,
    pub(crate) wanted: Targets,
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
        about.is_event() && self.wanted.would_enable(about.target(), about.level())
    }

    /// What is finer than this is passed over without a question.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Filter::<Registry>::max_level_hint(&self.wanted)
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        self.story.log(|line| {
            let about = event.metadata();
            write!(line, "{} {}: ", about.level(), about.target()).expect("takes everything");
            event.record(&mut Fields(line));
        });
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
