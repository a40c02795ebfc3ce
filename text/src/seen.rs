//! How a character is seen, by Unicode's own properties.

use icu_properties::props::{
    BidiControl, DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory,
    PrependedConcatenationMark, WhiteSpace,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// The empty cell of Braille: a symbol to Unicode, a blank to everybody.
pub(crate) const BRAILLE_BLANK: char = '\u{2800}';

/// How a character is seen on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// There is something to be seen.
    Seen,
    /// Room is left, and nothing is in it.
    Blank,
    /// Nothing is seen; it may change how others are shown.
    Ignored,
    /// Shown together with what stands before it.
    Mark {
        /// Above, below or around it, so that lines are no bound.
        stacked: bool,
    },
    /// A control character or an end of line.
    Control,
    /// Turns the text around it, to the left or the right.
    Turning,
    /// Nobody can say how others see it: for private use, or not assigned.
    Unknown,
}

impl Sight {
    /// How `c` is seen.
    pub(crate) fn of(c: char) -> Sight {
        use GeneralCategory as Category;
        if CodePointSetData::new::<BidiControl>().contains(c) {
            return Sight::Turning;
        }
        if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) || is_filler(c) {
            return Sight::Ignored;
        }
        if is_blank(c) {
            return Sight::Blank;
        }
        match CodePointMapData::<Category>::new().get(c) {
            Category::Control | Category::LineSeparator | Category::ParagraphSeparator => {
                Sight::Control
            }
            Category::NonspacingMark | Category::EnclosingMark => Sight::Mark { stacked: true },
            Category::SpacingMark => Sight::Mark { stacked: false },
            // Signs of numbers and the like, which are drawn.
            Category::Format
                if CodePointSetData::new::<PrependedConcatenationMark>().contains(c) =>
            {
                Sight::Seen
            }
            Category::Format => Sight::Ignored,
            // Places kept for emoji are seen by whose phone is newer than our tables.
            Category::Unassigned if is_pictograph(c) => Sight::Seen,
            Category::Unassigned | Category::PrivateUse | Category::Surrogate => Sight::Unknown,
            Category::SpaceSeparator => Sight::Blank,
            _ => Sight::Seen,
        }
    }
}

/// Room without anything in it.
pub(crate) fn is_blank(c: char) -> bool {
    c == BRAILLE_BLANK || (CodePointSetData::new::<WhiteSpace>().contains(c) && !is_end_of_line(c))
}

/// What can be joined to others to make one picture.
pub(crate) fn is_pictograph(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

/// Assigned as letters, marks or symbols, and drawn as nothing: the blanks of Egyptian
/// and Khitan script, the empty note head, and the place of an object that is not there.
fn is_filler(c: char) -> bool {
    matches!(c, '\u{13441}'..='\u{13446}' | '\u{16fe4}' | '\u{1d159}' | '\u{fffc}')
}

/// Blanks that are controls, or begin a new line.
fn is_end_of_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}
