//! Letters as guessers mean them, and the words made of them.
//!
//! A guess is one of the 26 letters a to z. A word may be written with more:
//! an accented letter is found by its base letter (é by e, ł by l), a
//! ligature by its first (æ by a, ß by s, þ by t). When a whole word is
//! guessed only letters count, and ligatures are spelled out (straße is
//! strasse), so nobody fails for a missing accent, hyphen or space.
//!
//! What a word is made of is decided while the log is applied, so all of it stands
//! in tables here and none of it in those of the Rust that builds us, which grow.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::Edition;

/// Characters in a hidden word or phrase. A longer one is refused.
pub(crate) const WORD_CHARS_MAX: usize = 40;

/// Lowercase letters that stand for one of the 26, beyond those themselves.
const FOLDS: &[(u8, &str)] = &[
    (b'a', "àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ"),
    (b'b', "ƀḃḅḇ"),
    (b'c', "çćĉċčḉ"),
    (b'd', "ðďđḋḍḏḑḓ"),
    (b'e', "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
    (b'f', "ḟ"),
    (b'g', "ĝğġģǧǵḡ"),
    (b'h', "ĥħȟḣḥḧḩḫẖ"),
    (b'i', "ìíîïĩīĭįıǐȉȋḭḯỉị"),
    (b'j', "ĵǰȷ"),
    (b'k', "ķĸǩḱḳḵ"),
    (b'l', "ĺļľŀłḷḹḻḽ"),
    (b'm', "ḿṁṃ"),
    (b'n', "ñńņňŋǹṅṇṉṋ"),
    (b'o', "òóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"),
    (b'p', "ṕṗ"),
    (b'r', "ŕŗřȑȓṙṛṝṟ"),
    (b's', "śŝşšſșṡṣṥṧṩ"),
    (b't', "ţťŧțṫṭṯṱẗ"),
    (b'u', "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
    (b'v', "ṽṿ"),
    (b'w', "ŵẁẃẅẇẉẘ"),
    (b'x', "ẋẍ"),
    (b'y', "ýÿŷȳẏẙỳỵỷỹ"),
    (b'z', "źżžƶẑẓẕ"),
];

/// Lowercase letters that stand for two.
pub(crate) const LIGATURES: &[(char, [u8; 2])] =
    &[('ß', *b"ss"), ('æ', *b"ae"), ('œ', *b"oe"), ('þ', *b"th"), ('ĳ', *b"ij")];

/// Letters that come apart from their accent, and what they are together: pairs, by
/// the accent. Unicode never changes these.
const COMPOSED: &[(char, &str)] = &[
    ('\u{300}', "aàeèiìnǹoòuùwẁyỳâầăằêềēḕôồōṑơờüǜưừ"),
    ('\u{301}', "aácćeégǵiíkḱlĺmḿnńoópṕrŕsśuúwẃyýzźâấåǻăắçḉêếēḗïḯôốõṍøǿōṓơớüǘũṹưứ"),
    ('\u{302}', "aâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷzẑạậẹệọộ"),
    ('\u{303}', "aãeẽiĩnñoõuũvṽyỹâẫăẵêễôỗơỡưữ"),
    ('\u{304}', "aāeēgḡiīoōuūyȳäǟȧǡḷḹõȭöȫǫǭȯȱṛṝüǖ"),
    ('\u{306}', "aăeĕgğiĭoŏuŭạặȩḝ"),
    ('\u{307}', "aȧbḃcċdḋeėfḟgġhḣmṁnṅoȯpṗrṙsṡtṫwẇxẋyẏzżśṥšṧṣṩ"),
    ('\u{308}', "aäeëhḧiïoötẗuüwẅxẍyÿõṏūṻ"),
    ('\u{309}', "aảeẻiỉoỏuủyỷâẩăẳêểôổơởưử"),
    ('\u{30a}', "aåuůwẘyẙ"),
    ('\u{30b}', "oőuű"),
    ('\u{30c}', "aǎcčdďeěgǧhȟiǐjǰkǩlľnňoǒrřsštťuǔzžüǚ"),
    ('\u{30f}', "aȁeȅiȉoȍrȑuȕ"),
    ('\u{311}', "aȃeȇiȋoȏrȓuȗ"),
    ('\u{31b}', "oơuưòờóớõỡọợỏởùừúứũữụựủử"),
    ('\u{323}', "aạbḅdḍeẹhḥiịkḳlḷmṃnṇoọrṛsṣtṭuụvṿwẉyỵzẓâậăặêệôộơợṡṩưự"),
    ('\u{324}', "uṳ"),
    ('\u{325}', "aḁ"),
    ('\u{326}', "sștț"),
    ('\u{327}', "cçdḑeȩgģhḩkķlļnņrŗsştţćḉĕḝ"),
    ('\u{328}', "aąeęiįoǫuųōǭ"),
    ('\u{32d}', "dḓeḙlḽnṋtṱuṷ"),
    ('\u{32e}', "hḫ"),
    ('\u{330}', "eḛiḭuṵ"),
    ('\u{331}', "bḇdḏhẖkḵlḻnṉrṟtṯzẕ"),
    ('\u{340}', "aàeèiìnǹoòuùwẁyỳâầăằêềēḕôồōṑơờüǜưừ"),
    ('\u{341}', "aácćeégǵiíkḱlĺmḿnńoópṕrŕsśuúwẃyýzźâấåǻăắçḉêếēḗïḯôốõṍøǿōṓơớüǘũṹưứ"),
    ('\u{344}', "iḯuǘ"),
];

/// Capitals beyond A to Z, each before its small letter.
const CAPITALS: &str = "\
    ÀàÁáÂâÃãÄäÅåĀāĂăĄąǍǎǞǟǠǡǺǻȀȁȂȃȦȧḀḁẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặɃƀḂḃḄḅḆḇÇçĆćĈĉĊċČčḈḉÐð\
    ĎďĐđḊḋḌḍḎḏḐḑḒḓÈèÉéÊêËëĒēĔĕĖėĘęĚěȄȅȆȇȨȩḔḕḖḗḘḙḚḛḜḝẸẹẺẻẼẽẾếỀềỂểỄễỆệḞḟĜĝĞğĠġĢģǦǧǴǵḠḡ\
    ĤĥĦħȞȟḢḣḤḥḦḧḨḩḪḫÌìÍíÎîÏïĨĩĪīĬĭĮįǏǐȈȉȊȋḬḭḮḯỈỉỊịĴĵĶķǨǩḰḱḲḳḴḵĹĺĻļĽľĿŀŁłḶḷḸḹḺḻḼḽḾḿṀṁ\
    ṂṃÑñŃńŅņŇňŊŋǸǹṄṅṆṇṈṉṊṋÒòÓóÔôÕõÖöØøŌōŎŏŐőƠơǑǒǪǫǬǭǾǿȌȍȎȏȪȫȬȭȮȯȰȱṌṍṎṏṐṑṒṓỌọỎỏỐốỒồỔổ\
    ỖỗỘộỚớỜờỞởỠỡỢợṔṕṖṗŔŕŖŗŘřȐȑȒȓṘṙṚṛṜṝṞṟŚśŜŝŞşŠšȘșṠṡṢṣṤṥṦṧṨṩŢţŤťŦŧȚțṪṫṬṭṮṯṰṱÙùÚúÛûÜü\
    ŨũŪūŬŭŮůŰűŲųƯưǓǔǕǖǗǘǙǚǛǜȔȕȖȗṲṳṴṵṶṷṸṹṺṻỤụỦủỨứỪừỬửỮữỰựṼṽṾṿŴŵẀẁẂẃẄẅẆẇẈẉẊẋẌẍÝýŸÿŶŷȲȳ\
    ẎẏỲỳỴỵỶỷỸỹŹźŻżŽžƵƶẐẑẒẓẔẕÆæŒœÞþĲĳẞßİi\
    \u{212a}k\u{212b}å";

/// One of the letters a to z, as `b'a'` to `b'z'`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Letter(u8);

impl Letter {
    /// The letter by which `c` is found; none if it is not a letter.
    pub(crate) fn of(c: char) -> Option<Letter> {
        match c {
            'a'..='z' => Some(Letter(c as u8)),
            'A'..='Z' => Some(Letter(c as u8 | 0x20)),
            _ if c.is_ascii() => None,
            // Most are lowercase already; capitals are looked for in a long list.
            _ => spelling(c).or_else(|| spelling(lowercase(c))).map(|(first, _)| Letter(first)),
        }
    }

    /// The letter a player typed: one character, blanks around it forgiven.
    pub(crate) fn typed(text: &str) -> Option<Letter> {
        let mut chars = text.trim_matches(is_blank).chars().filter(|c| !is_mark(*c));
        let letter = Letter::of(chars.next()?)?;
        chars.next().is_none().then_some(letter)
    }

    /// The 26, from a to z.
    pub(crate) fn all() -> impl Iterator<Item = Letter> {
        (b'a'..=b'z').map(Letter)
    }

    /// How `c` is spelled with the 26; none if it is not a letter.
    pub(crate) fn spelling(c: char) -> Option<(Letter, Option<Letter>)> {
        spelling(lowercase(c)).map(|(first, second)| (Letter(first), second.map(Letter)))
    }

    /// As its lowercase ASCII byte.
    pub(crate) fn byte(self) -> u8 {
        self.0
    }

    /// As a lowercase character.
    pub(crate) fn char(self) -> char {
        char::from(self.0)
    }

    fn bit(self) -> u32 {
        1 << (self.0 - b'a')
    }
}

/// A set of letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letters(u32);

impl Letters {
    /// The letters by which the characters of a text are found.
    pub(crate) fn of(text: &str) -> Letters {
        let letters = text.chars().filter_map(Letter::of);
        Letters(letters.fold(0, |letters, letter| letters | letter.bit()))
    }

    /// Adds a letter; false if it was there already.
    pub(crate) fn insert(&mut self, letter: Letter) -> bool {
        let new = !self.contains(letter);
        self.0 |= letter.bit();
        new
    }

    pub(crate) fn contains(self, letter: Letter) -> bool {
        self.0 & letter.bit() != 0
    }

    /// Those that are also in another set.
    pub(crate) fn common(self, other: Letters) -> Letters {
        Letters(self.0 & other.0)
    }

    /// The letters, from a to z.
    pub(crate) fn iter(self) -> impl Iterator<Item = Letter> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = u8::try_from(left.trailing_zeros()).ok().filter(|place| *place < 26)?;
            left &= left - 1;
            Some(Letter(b'a' + place))
        })
    }
}

/// A word or phrase to be found, the way it is shown once found.
///
/// A word that is typed today has 1 to [`WORD_CHARS_MAX`] characters: lowercase
/// letters that a guesser can type, single spaces between them, hyphens and straight
/// apostrophes; at least one letter. One that was stored is what it was when it was
/// taken: reading does not ask again, for what is a good word may change, and
/// [`Edition::First`] took words with a blank at an end.
///
/// It does not print itself: a hidden word is never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Arc<str>", into = "Arc<str>")]
pub(crate) struct Word(Arc<str>);

impl Word {
    /// The word that someone typed, tidied; or why it will not do. The reason
    /// does not quote the word.
    pub(crate) fn typed(text: &str, edition: Edition) -> Result<Word, &'static str> {
        let tidied = match edition {
            Edition::First => half_tidied(text),
            _ => tidied(text),
        };
        let word = tidied.ok_or(
            "a word is made of Latin letters (with or without accents), spaces, hyphens and apostrophes",
        )?;
        if word.chars().count() > WORD_CHARS_MAX {
            return Err("a word has at most 40 characters");
        }
        if !word.chars().any(|c| Letter::of(c).is_some()) {
            return Err("a word has at least one letter");
        }
        Ok(Word(word.into()))
    }

    /// The word itself. Only for eyes that may see it.
    pub(crate) fn reveal(&self) -> &Arc<str> {
        &self.0
    }

    /// Each character, with the letter by which it is found; none for the
    /// spaces, hyphens and apostrophes that are shown from the start.
    pub(crate) fn places(&self) -> impl Iterator<Item = (char, Option<Letter>)> + '_ {
        self.0.chars().map(|c| (c, Letter::of(c)))
    }

    /// How many places a letter would open.
    pub(crate) fn count(&self, letter: Letter) -> u8 {
        self.count_places(|at| at == letter)
    }

    /// How many places are still hidden when `found` are open.
    pub(crate) fn hidden(&self, found: Letters) -> u8 {
        self.count_places(|at| !found.contains(at))
    }

    /// The letters of the word and nothing else, ligatures spelled out.
    pub(crate) fn spelled(&self) -> impl Iterator<Item = Letter> + '_ {
        spelled(&self.0).map(Letter)
    }

    /// Whether two words have the same letters in the same order.
    pub(crate) fn sounds_like(&self, other: &Word) -> bool {
        self.is_spelled(&other.0)
    }

    /// Whether a text has the same letters in the same order.
    pub(crate) fn is_spelled(&self, text: &str) -> bool {
        spelled(&self.0).eq(spelled(text))
    }

    fn count_places(&self, wanted: impl Fn(Letter) -> bool) -> u8 {
        let count = if self.0.is_ascii() {
            // Nearly every word, and this is done with every guess. What a player typed is
            // lowercase; what was stored is what it was.
            let letters = self.0.bytes().filter(u8::is_ascii_alphabetic);
            letters.filter(|byte| wanted(Letter(byte | 0x20))).count()
        } else {
            self.places().filter(|(_, letter)| letter.is_some_and(&wanted)).count()
        };
        // At most `WORD_CHARS_MAX`, which fits.
        u8::try_from(count).unwrap_or(u8::MAX)
    }
}

impl From<Arc<str>> for Word {
    fn from(stored: Arc<str>) -> Word {
        Word(stored)
    }
}

impl From<Word> for Arc<str> {
    fn from(word: Word) -> Arc<str> {
        word.0
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Word(hidden)")
    }
}

/// Lowercase, composed, one kind of blank, hyphen and apostrophe, no blanks at the
/// ends and no two in a row; none if anything else is in it. Tidied again it stays
/// as it is.
fn tidied(text: &str) -> Option<String> {
    let mut word = String::with_capacity(text.len().min(4 * WORD_CHARS_MAX));
    for c in text.chars() {
        if is_mark(c) {
            if let Some(together) = word.chars().next_back().and_then(|last| composed(last, c)) {
                word.pop();
                word.push(together);
            }
            continue;
        }
        match tidied_char(c)? {
            ' ' if word.is_empty() || word.ends_with(' ') => {}
            tidy => word.push(tidy),
        }
    }
    word.truncate(word.trim_end_matches(' ').len());
    Some(word)
}

/// As [`Edition::First`] had it: a blank beside an accent stays at the end, and
/// accents that come apart from their letter are lost.
fn half_tidied(text: &str) -> Option<String> {
    let mut word = String::with_capacity(text.len().min(4 * WORD_CHARS_MAX));
    for c in text.trim_matches(is_blank).chars().filter(|c| !is_mark(*c)) {
        match tidied_char(c)? {
            ' ' if word.ends_with(' ') => {}
            tidy => word.push(tidy),
        }
    }
    Some(word)
}

fn tidied_char(c: char) -> Option<char> {
    match c {
        'a'..='z' | '-' | '\'' => Some(c),
        _ if is_blank(c) => Some(' '),
        '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' | '\u{b4}' => Some('\''),
        '\u{2010}'..='\u{2014}' => Some('-'),
        _ => Letter::of(c).map(|_| lowercase(c)),
    }
}

/// Accents that come as characters of their own, after their letter. One that makes
/// a letter we know is put together with it; any other is left out.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// A letter together with the accent behind it, if that is a letter we know.
fn composed(letter: char, mark: char) -> Option<char> {
    let (_, pairs) = COMPOSED.iter().find(|(known, _)| *known == mark)?;
    paired(pairs, letter)
}

/// Blanks: Unicode's White_Space.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
            | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// The lowercase form of the letters we know (İ has a mark after it, which we leave
/// out); anything else stays.
fn lowercase(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { paired(CAPITALS, c).unwrap_or(c) }
}

/// What stands behind `first` in a list of pairs.
fn paired(pairs: &str, first: char) -> Option<char> {
    let mut pairs = pairs.chars();
    while let (Some(one), Some(other)) = (pairs.next(), pairs.next()) {
        if one == first {
            return Some(other);
        }
    }
    None
}

/// The letters of a text and nothing else, ligatures spelled out.
fn spelled(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.chars().filter_map(spelling).flat_map(|(first, second)| [Some(first), second]).flatten()
}

/// How a lowercase character is spelled with the 26 letters.
fn spelling(c: char) -> Option<(u8, Option<u8>)> {
    if c.is_ascii() {
        return c.is_ascii_lowercase().then_some((c as u8, None));
    }
    if let Some((_, [first, second])) = LIGATURES.iter().find(|(ligature, _)| *ligature == c) {
        return Some((*first, Some(*second)));
    }
    FOLDS.iter().find(|(_, folded)| folded.contains(c)).map(|(base, _)| (*base, None))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(text: &str) -> Word {
        Word::typed(text, Edition::Second).expect("a good word")
    }

    #[test]
    fn a_set_of_letters_tells_them_in_order() {
        let told = |letters: Letters| letters.iter().map(Letter::char).collect::<String>();
        assert_eq!(told(Letters::of("Zoë's Æon")), "aenosz");
        assert_eq!(told(Letters::of("Zoë").common(Letters::of("one"))), "eo");
        assert_eq!(told(Letters::default()), "");
        assert!(Letter::all().eq(Letters::of("the quick brown fox jumps over a lazy dog").iter()));
    }

    #[test]
    fn accents_fold_to_their_base_letter() {
        for (c, letter) in [
            ('é', 'e'),
            ('É', 'e'),
            ('ß', 's'),
            ('ẞ', 's'),
            ('ø', 'o'),
            ('Æ', 'a'),
            ('ł', 'l'),
            ('İ', 'i'),
            ('ự', 'u'),
            ('þ', 't'),
        ] {
            assert_eq!(Letter::of(c).map(Letter::char), Some(letter), "{c}");
        }
        for c in ['1', ' ', '-', 'я', '猫', '🦉', '\u{301}'] {
            assert_eq!(Letter::of(c), None, "{c}");
        }
    }

    #[test]
    fn a_typed_letter_is_one_character() {
        assert_eq!(Letter::typed(" E ").map(Letter::char), Some('e'));
        assert_eq!(Letter::typed("e\u{301}").map(Letter::char), Some('e'));
        for text in ["", " ", "ee", "e e", "5", "\u{301}"] {
            assert_eq!(Letter::typed(text), None, "{text:?}");
        }
    }

    #[test]
    fn words_are_tidied() {
        for (typed, tidy) in [
            ("  Kanna   KAMUI ", "kanna kamui"),
            ("Rock\u{2019}n\u{2011}Roll", "rock'n-roll"),
            ("Crème\u{a0}Brûlée", "crème brûlée"),
            ("Cafe\u{301}", "café"),
            ("Ve\u{302}\u{323}nus", "vệnus"),
            ("e\u{30d}lan", "elan"),
            ("owl \u{301}", "owl"),
            ("\u{301} owl", "owl"),
            ("\u{301}\u{a0}\u{308} snow \u{301} owl\u{3000}\u{301}", "snow owl"),
            ("STRASSE", "strasse"),
        ] {
            assert_eq!(**word(typed).reveal(), *tidy, "{typed:?}");
        }
    }

    #[test]
    fn what_nobody_could_guess_is_refused_without_a_quote() {
        for typed in ["", "  ", "-", "' '", "r2d2", "кот", "a_b", &"a".repeat(41)] {
            let reason = Word::typed(typed, Edition::Second).expect_err("not a word");
            assert!(typed.len() < 3 || !reason.contains(typed), "{reason}");
        }
        assert!(Word::typed(&"é".repeat(40), Edition::Second).is_ok());
    }

    #[test]
    fn whole_words_are_compared_by_their_letters() {
        for (secret, guess) in [
            ("straße", "Strasse"),
            ("kanna kamui", "kanna-kamui"),
            ("crème brûlée", "creme brulee"),
            ("rock'n'roll", "rocknroll"),
        ] {
            assert!(word(secret).sounds_like(&word(guess)), "{secret} {guess}");
        }
        assert!(!word("straße").sounds_like(&word("strase")));
    }

    #[test]
    fn every_fold_is_listed_once_and_in_lowercase() {
        let mut all: Vec<char> = FOLDS.iter().flat_map(|(_, folded)| folded.chars()).collect();
        all.extend(LIGATURES.iter().map(|(c, _)| *c));
        let count = all.len();
        assert!(all.iter().all(|c| lowercase(*c) == *c));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    /// The first edition lost accents and left blanks; its log still means what it meant.
    #[test]
    fn words_of_the_first_edition_are_what_they_were() {
        for (typed, was) in
            [("owl \u{301}", "owl "), ("\u{301} owl", " owl"), ("Cafe\u{301}", "cafe")]
        {
            let word = Word::typed(typed, Edition::First).expect("it was taken");
            assert_eq!(**word.reveal(), *was, "{typed:?}");
            let stored = postcard::to_allocvec(&word).expect("a stored form");
            assert_eq!(postcard::from_bytes(&stored), Ok(word), "{typed:?}");
        }
    }

    /// The tables here are those of Rust's, as far as they speak of our letters. When this
    /// fails, it is Rust's that have grown; ours stay.
    #[test]
    fn capitals_and_blanks_are_those_that_everybody_knows() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let small = c.to_lowercase().next().unwrap_or(c);
            if small != lowercase(c) {
                let ours = spelling(small).or(spelling(lowercase(c)));
                assert!(ours.is_none(), "U+{:04X}", u32::from(c));
            }
            assert_eq!(is_blank(c), c.is_whitespace(), "U+{:04X}", u32::from(c));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// A letter opens as many places as are shown with it, and what is hidden is the rest;
        /// in words of bytes and in others, as they are typed and as they were ever stored.
        #[test]
        fn places_are_counted_as_they_are_shown(word in "[a-zA-Z '-]{0,40}[éß]?", letter in prop::char::range('a', 'z')) {
            let (word, letter) = (Word(word.into()), Letter::of(letter).expect("one of the 26"));
            let shown = word.places().filter(|(_, at)| *at == Some(letter)).count();
            let letters = word.places().filter(|(_, at)| at.is_some()).count();
            let mut found = Letters::default();
            found.insert(letter);
            let counted = (word.count(letter), word.hidden(found));
            prop_assert_eq!((counted.0 as usize, counted.1 as usize), (shown, letters - shown));
        }

        /// A tidy word is a word, and stays as it is: what is shown can be typed again.
        #[test]
        fn a_word_typed_again_is_the_same_word(text in hostile()) {
            if let Ok(word) = Word::typed(&text, Edition::Second) {
                let again = Word::typed(word.reveal(), Edition::Second);
                prop_assert_eq!(again.as_ref().map(|word| word.reveal().clone()), Ok(word.reveal().clone()));
                prop_assert!(word.sounds_like(&again.expect("just looked")));
                prop_assert_eq!(word.reveal().trim(), &**word.reveal());
            }
            for edition in [Edition::First, Edition::Second] {
                let Ok(word) = Word::typed(&text, edition) else { continue };
                let stored = postcard::to_allocvec(&word).expect("a stored form");
                prop_assert_eq!(postcard::from_bytes::<Word>(&stored), Ok(word));
            }
        }
    }

    /// Letters, accents that come apart, blanks and hyphens; and any characters at all.
    fn hostile() -> impl Strategy<Value = String> {
        let hard: Vec<char> = "aeoz EZİıßẞŉǆæĳ\u{1e69}\u{a0}\u{3000}'-\u{2019}\u{2011}"
            .chars()
            .chain(
                "\u{300}\u{301}\u{302}\u{307}\u{308}\u{31b}\u{323}\u{328}\u{344}\u{345}\u{36f}"
                    .chars(),
            )
            .collect();
        let hard = prop::collection::vec(prop::sample::select(hard), 1..20);
        prop_oneof![3 => hard.prop_map(String::from_iter), 1 => ".{0,30}"]
    }

    /// One by one, with a blank on each side: all of Unicode.
    #[test]
    fn no_character_unsettles_a_word() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            if Word::typed(&format!("a{c}"), Edition::Second).is_err() {
                continue;
            }
            for text in [format!("a {c}"), format!("{c} a"), format!("{c}{c}a")] {
                let Ok(word) = Word::typed(&text, Edition::Second) else { continue };
                let again = Word::typed(word.reveal(), Edition::Second);
                assert!(again.is_ok_and(|again| again == word), "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn a_printed_word_stays_hidden() {
        assert!(!format!("{:?}", word("owl")).contains("owl"));
    }
}
