//! A timeline as a page: one HTML file that stands alone and asks nobody for anything, or
//! one that a server feeds while things happen.
//!
//! The page is plain modules beside this file. Here they are put into one script, in the
//! order of `SCRIPTS` and `SERVED`, and the timeline beside them as data. Nothing of a timeline
//! becomes markup: it is one JSON text in which `<`, `>` and `&` are escaped, and the page
//! shows it as text.

mod pack;
mod settings;
mod unpack;

use crate::timeline::Line;
pub use pack::pack;
pub use settings::{Scenario, Settings};
pub use unpack::{packed_in, unpack};

/// The frame, with a mark for each part that is put in.
const PAGE: &str = include_str!("page.html");
/// The page's own style, and that of each part that has one.
const STYLES: &[&str] = &[
    include_str!("style.css"),
    include_str!("ring.css"),
    include_str!("break.css"),
    include_str!("levels.css"),
    include_str!("fork.css"),
];

/// The page's modules: each stands behind those that it imports.
const SCRIPTS: &[(&str, &str)] = &[
    ("lab.js", include_str!("lab.js")),
    ("model/words.js", include_str!("model/words.js")),
    ("model/search.js", include_str!("model/search.js")),
    ("model/unpack.js", include_str!("model/unpack.js")),
    ("model/answers.js", include_str!("model/answers.js")),
    ("model/tracks.js", include_str!("model/tracks.js")),
    ("model/trim.js", include_str!("model/trim.js")),
    ("model/read.js", include_str!("model/read.js")),
    ("model/table.js", include_str!("model/table.js")),
    ("model/told.js", include_str!("model/told.js")),
    ("model/sources.js", include_str!("model/sources.js")),
    ("model/reasons.js", include_str!("model/reasons.js")),
    ("model/story.js", include_str!("model/story.js")),
    ("model/election.js", include_str!("model/election.js")),
    ("model/gap.js", include_str!("model/gap.js")),
    ("model/outage.js", include_str!("model/outage.js")),
    ("model/moment.js", include_str!("model/moment.js")),
    ("model/tempo.js", include_str!("model/tempo.js")),
    ("model/judged.js", include_str!("model/judged.js")),
    ("scale.js", include_str!("scale.js")),
    ("address.js", include_str!("address.js")),
    ("dom.js", include_str!("dom.js")),
    ("colours.js", include_str!("colours.js")),
    ("header.js", include_str!("header.js")),
    ("lanes/lane.js", include_str!("lanes/lane.js")),
    ("lanes/faults.js", include_str!("lanes/faults.js")),
    ("lanes/node.js", include_str!("lanes/node.js")),
    ("lanes/log.js", include_str!("lanes/log.js")),
    ("lanes/swim.js", include_str!("lanes/swim.js")),
    ("lanes/client.js", include_str!("lanes/client.js")),
    ("lanes/process.js", include_str!("lanes/process.js")),
    ("lanes/plots.js", include_str!("lanes/plots.js")),
    ("lanes/messages.js", include_str!("lanes/messages.js")),
    ("ring/links.js", include_str!("ring/links.js")),
    ("ring/layout.js", include_str!("ring/layout.js")),
    ("ring/pace.js", include_str!("ring/pace.js")),
    ("ring/flights.js", include_str!("ring/flights.js")),
    ("ring/strips.js", include_str!("ring/strips.js")),
    ("ring/sparks.js", include_str!("ring/sparks.js")),
    ("ring/headline.js", include_str!("ring/headline.js")),
    ("ring/gossipwords.js", include_str!("ring/gossipwords.js")),
    ("ring/hits.js", include_str!("ring/hits.js")),
    ("ring/signs.js", include_str!("ring/signs.js")),
    ("ring/wires.js", include_str!("ring/wires.js")),
    ("ring/notes.js", include_str!("ring/notes.js")),
    ("ring/rafts.js", include_str!("ring/rafts.js")),
    ("ring/dots.js", include_str!("ring/dots.js")),
    ("ring/stripview.js", include_str!("ring/stripview.js")),
    ("ring/legend.js", include_str!("ring/legend.js")),
    ("ring/frame.js", include_str!("ring/frame.js")),
    ("ring/labels.js", include_str!("ring/labels.js")),
    ("ring/ring.js", include_str!("ring/ring.js")),
    ("stage.js", include_str!("stage.js")),
    ("overview.js", include_str!("overview.js")),
    ("walk.js", include_str!("walk.js")),
    ("feed.js", include_str!("feed.js")),
    ("pointing.js", include_str!("pointing.js")),
    ("hands.js", include_str!("hands.js")),
    ("keys.js", include_str!("keys.js")),
    ("tabs.js", include_str!("tabs.js")),
    ("split.js", include_str!("split.js")),
    ("nodes.js", include_str!("nodes.js")),
    ("light.js", include_str!("light.js")),
    ("time.js", include_str!("time.js")),
    ("main.js", include_str!("main.js")),
];

/// What a page needs beyond these that a server feeds.
const SERVED: &[(&str, &str)] = &[
    ("break/commands.js", include_str!("break/commands.js")),
    ("break/standing.js", include_str!("break/standing.js")),
    ("break/offers.js", include_str!("break/offers.js")),
    ("break/patterns.js", include_str!("break/patterns.js")),
    ("break/active.js", include_str!("break/active.js")),
    ("break/forecast.js", include_str!("break/forecast.js")),
    ("break/why.js", include_str!("break/why.js")),
    ("break/score.js", include_str!("break/score.js")),
    ("break/trouble.js", include_str!("break/trouble.js")),
    ("served/deeds.js", include_str!("served/deeds.js")),
    ("served/popup.js", include_str!("served/popup.js")),
    ("served/picker.js", include_str!("served/picker.js")),
    ("served/drag.js", include_str!("served/drag.js")),
    ("served/lists.js", include_str!("served/lists.js")),
    ("served/step.js", include_str!("served/step.js")),
    ("served/watch.js", include_str!("served/watch.js")),
    ("served/palette.js", include_str!("served/palette.js")),
    ("levels/level.js", include_str!("levels/level.js")),
    ("levels/evidence.js", include_str!("levels/evidence.js")),
    ("levels/elections.js", include_str!("levels/elections.js")),
    ("levels/disks.js", include_str!("levels/disks.js")),
    ("levels/membership.js", include_str!("levels/membership.js")),
    ("levels/reads.js", include_str!("levels/reads.js")),
    ("levels/course.js", include_str!("levels/course.js")),
    ("served/lesson.js", include_str!("served/lesson.js")),
    ("served/presenter.js", include_str!("served/presenter.js")),
    ("served/learn.js", include_str!("served/learn.js")),
    ("model/forks.js", include_str!("model/forks.js")),
    ("model/steps.js", include_str!("model/steps.js")),
    ("served/stepper.js", include_str!("served/stepper.js")),
    ("served/forkform.js", include_str!("served/forkform.js")),
    ("served/twin.js", include_str!("served/twin.js")),
    ("served/twodays.js", include_str!("served/twodays.js")),
    ("served/fork.js", include_str!("served/fork.js")),
    ("served/connect.js", include_str!("served/connect.js")),
    ("served/served.js", include_str!("served/served.js")),
];

/// What a page may do that stands alone, and what one may that asks its server.
const ALONE: &str =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
const ASKS: &str = "; connect-src 'self'";

/// The page that shows this timeline and stands alone.
pub fn html(lines: &[Line]) -> String {
    page(&pack(lines), None)
}

/// The page that shows this timeline, which may be empty, and what its server sends.
pub fn served(lines: &[Line], settings: &Settings) -> String {
    page(&pack(lines), Some(settings))
}

/// The same of a timeline that is packed already, as a page holds it.
pub fn served_packed(packed: &serde_json::Value, settings: &Settings) -> String {
    page(packed, Some(settings))
}

fn page(packed: &serde_json::Value, settings: Option<&Settings>) -> String {
    let asks = settings.map_or("", |_| ASKS);
    let served = settings.map_or(&[] as &[_], |_| SERVED);
    let settings = serde_json::to_string(&settings).expect("settings are plain data");
    let parts = [
        ("/* policy */", format!("{ALONE}{asks}")),
        ("/* style */", STYLES.concat()),
        ("/* settings */", escaped(&settings)),
        ("/* timeline */", escaped(&packed.to_string())),
        ("/* script */", script(SCRIPTS) + &script(served)),
    ];
    let mut page = String::new();
    let mut rest = PAGE;
    for (mark, part) in parts {
        let (before, after) = rest.split_once(mark).expect("page.html has each mark, in order");
        page.push_str(before);
        page.push_str(&part);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// All modules as one script: each is a function of its own, whose exports the next find.
fn script(scripts: &[(&str, &str)]) -> String {
    scripts.iter().map(|(name, text)| module(name, text)).collect()
}

/// A module without its imports and exports. An import is one line, and names a file of
/// [`SCRIPTS`]; what is exported is declared where it is exported.
fn module(name: &str, text: &str) -> String {
    let mut exported = Vec::new();
    let mut body = String::new();
    for line in text.lines() {
        let line = match line.strip_prefix("export ") {
            Some("{};") => continue,
            Some(declared) => {
                exported.extend(declared_name(declared));
                declared.to_owned()
            }
            None => import(line).unwrap_or_else(|| line.to_owned()),
        };
        body.push_str(&line);
        body.push('\n');
    }
    let exported = exported.join(", ");
    format!(
        "// {name}\nconst {} = (() => {{\n{body}return {{ {exported} }};\n}})();\n\n",
        holder(name)
    )
}

/// What `function name(`, `class Name {` or `const NAME =` declares.
fn declared_name(declared: &str) -> Option<&str> {
    let (_, rest) = declared.split_once(' ')?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

/// An import as a look into what another module exports.
fn import(line: &str) -> Option<String> {
    let (names, from) = line.strip_prefix("import ")?.split_once(" from ")?;
    Some(format!("const {names} = {};", holder(from.trim_matches(['"', ';']))))
}

/// Where a module's exports are: `$lane` for "../lanes/lane.js".
fn holder(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    format!("${}", file.trim_end_matches(".js"))
}

/// JSON that can stand inside of a script element, whatever is in its texts.
fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{FORMAT, Head, Told};

    /// What the page's own tests read.
    const LINES: &str = include_str!("../../ui-check/timeline.jsonl");
    const PACKED: &str = include_str!("../../ui-check/packed.json");

    fn lines() -> Vec<Line> {
        LINES.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn head(title: &str) -> Line {
        Line::Head(Head {
            format: FORMAT,
            title: title.into(),
            began_unix_ms: 0,
            from: 0,
            command: String::new(),
            about: String::new(),
            nodes: Vec::new(),
            clients: Vec::new(),
        })
    }

    /// Whoever changes how a timeline is packed changes `packed.json`, and sees in the page's
    /// tests whether it is still understood there.
    #[test]
    fn a_timeline_is_packed_as_the_page_unpacks_it() {
        let packed = pack::pack(&lines());
        let known: serde_json::Value = serde_json::from_str(PACKED).unwrap();
        assert_eq!(packed, known, "it is now:\n{packed}");
    }

    /// A player's line of chat stays a line of chat.
    #[test]
    fn nothing_of_a_timeline_becomes_markup() {
        let hostile = "</script><img src=x onerror=alert(1)> <!-- & \u{2028} /* script */";
        let told = Told { at: 1, node: None, about: "story".into(), text: hostile.into() };
        let page = html(&[head(hostile), Line::Told(told)]);
        assert!(!page.contains("<img"), "markup came through");
        assert!(!page.contains('\u{2028}'));
        assert_eq!(page.matches("</script").count(), html(&[]).matches("</script").count());
        let (_, data) = page.split_once("id=\"timeline\">").unwrap();
        let (data, _) = data.split_once("</script>").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        let texts = data["texts"].as_array().unwrap();
        assert!(texts.contains(&hostile.into()), "the text is another: {texts:?}");
    }

    /// Where links of the page lead whoever presses them: a browser fetches nothing of it
    /// before. The thesis on Raft, and the paper on SWIM.
    const LINKS: [&str; 2] = [
        "https://github.com/ongardie/dissertation#readme",
        "https://www.cs.cornell.edu/projects/Quicksilver/public_pdfs/SWIM.pdf",
    ];

    #[test]
    fn a_page_asks_nobody_for_anything() {
        let mut page = html(&lines());
        for link in LINKS {
            assert_eq!(page.matches(link).count(), 1, "{link}");
            page = page.replace(link, "");
        }
        for from_elsewhere in ["http:", "https:", "src=", "url(", "@import", "fetch(", "<link"] {
            assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
        }
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn every_module_is_put_in_once_without_imports_and_exports() {
        let script = script(SCRIPTS) + &script(SERVED);
        for line in script.lines() {
            assert!(!line.starts_with("import ") && !line.starts_with("export "), "{line}");
        }
        for (name, _) in SCRIPTS.iter().chain(SERVED) {
            let opening = format!("const {} = (() => {{", holder(name));
            assert_eq!(script.matches(&opening).count(), 1, "{name}");
        }
        assert!(script.contains("const { at, before, insert, item, lastUntil } = $search;"));
        assert!(script.contains("return { unpack };"));
    }
}
