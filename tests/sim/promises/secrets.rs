//! No secret in any frame, or answer to a reader, to somebody who may not see it.
//!
//! The secrets looked for are those that setters choose, words that stand in no text
//! by chance. A word drawn by the rules is guarded by [`super::in_order`]: every view is
//! what the committed room shows to those eyes.

use super::truth::Truth;
use super::{Broken, Verdict};
use hangraft_game::{PlayerId, RoomId};

pub(super) const NAME: &str = "secrets";

/// Words that setters chose, or may have chosen.
#[derive(Default)]
pub(super) struct Secrets(Vec<Secret>);

struct Secret {
    room: RoomId,
    setter: PlayerId,
    word: String,
    /// The round is over: everybody may know.
    out: bool,
}

impl Secrets {
    pub(super) fn keep(&mut self, room: RoomId, setter: PlayerId, word: &str) {
        self.0.push(Secret { room, setter, word: word.to_owned(), out: false });
    }

    pub(super) fn see(&mut self, player: PlayerId, text: &str, truth: &Truth) -> Verdict {
        for secret in &mut self.0 {
            if secret.out || secret.setter == player || !text.contains(&secret.word) {
                continue;
            }
            // The committed log says whether the gallery may see it by now.
            let shown = truth
                .newest(secret.room)
                .is_some_and(|room| room.view(None).contains(&secret.word));
            secret.out = shown || truth.was_shown(secret.room, &secret.word);
            if !secret.out {
                let how = format!("{player} was sent the word that {} set", secret.setter);
                return Err(Broken::new(NAME, how));
            }
        }
        Ok(())
    }
}
