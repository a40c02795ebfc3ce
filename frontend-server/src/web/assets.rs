//! The page's files, built into the binary.
//!
//! Browsers may keep them but have to ask whether they are still good; a file is
//! named by its hash, so that the answer is short. (In debug builds the files are
//! read from disk at every request, so that a page can be edited while it runs.)
//!
//! The page itself is told what else there is: a game is a folder in `games/`, and is found
//! by being there.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::Embed;

#[derive(Embed)]
#[folder = "ui/"]
struct Files;

/// The page.
const INDEX: &str = "index.html";

/// Another way to the page, which shows the numbers when it is reached by this one.
const LIVE: &str = "live";

/// Where the page is told what there is.
const FOUND: &str = "<!-- found -->";

/// Modules that the page does not ask for: types are for reading only, and the worker is no
/// part of the page.
const NOT_LOADED: [&str; 2] = ["types.js", "worker.js"];

/// What the page loads when somebody first wants it. It is named all the same, so that the
/// worker keeps a copy: it is wanted most when a frontend is dead.
const LATER: [&str; 4] = ["card/", "deck/", "ladder/", "live/"];

/// Answers a request for one of the page's files.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, "there is nothing to do here\n").into_response();
    }
    let path = match uri.path().trim_start_matches('/') {
        "" | LIVE => INDEX,
        path => path,
    };
    match Files::get(path) {
        Some(file) if path == INDEX => respond(path, page(&file.data), &headers),
        Some(file) => respond(path, file.data, &headers),
        None => (StatusCode::NOT_FOUND, "there is no such page\n").into_response(),
    }
}

/// The page, told what was found beside it.
fn page(index: &[u8]) -> Cow<'static, [u8]> {
    let files: BTreeSet<Cow<'static, str>> = Files::iter().collect();
    let found = found(files.iter().map(|path| &**path));
    String::from_utf8_lossy(index).replace(FOUND, &found).into_bytes().into()
}

/// What the page is told about these files, in the words of HTML.
fn found<'a>(files: impl Iterator<Item = &'a str>) -> String {
    let (mut games, mut links) = (Vec::new(), String::new());
    for path in files {
        let name = path.rsplit('/').next().unwrap_or_default();
        let of_game = path.strip_prefix("games/");
        if let Some((game, "game.js")) = of_game.and_then(|path| path.split_once('/')) {
            games.push(game);
        }
        if LATER.iter().any(|folder| path.starts_with(folder)) {
            links += &format!("<link rel=\"later\" href=\"/{path}\">\n    ");
            continue;
        }
        if name.ends_with(".js") && !NOT_LOADED.contains(&name) {
            links += &format!("<link rel=\"modulepreload\" href=\"/{path}\">\n    ");
        }
        if name.ends_with(".css") && of_game.is_some() {
            links += &format!("<link rel=\"stylesheet\" href=\"/{path}\">\n    ");
        }
    }
    format!("{links}<meta name=\"games\" content=\"{}\">", games.join(" "))
}

fn respond(path: &str, body: Cow<'static, [u8]>, headers: &HeaderMap) -> Response {
    let tag = etag(&body);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let fresh = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag || one.trim() == "*"))
    {
        return (StatusCode::NOT_MODIFIED, fresh).into_response();
    }
    (fresh, [(header::CONTENT_TYPE, content_type(path))], body.into_owned()).into_response()
}

/// What tells one content from another. It is no secret, and means nothing to another build.
fn etag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn content_type(path: &str) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let text = kind.type_() == "text" || kind.subtype() == "javascript" || kind.subtype() == "json";
    if text { format!("{kind}; charset=utf-8") } else { kind.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str, tag: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(tag) = tag {
            headers.insert(header::IF_NONE_MATCH, tag.parse().unwrap());
        }
        serve(Method::GET, path.parse().unwrap(), headers).await
    }

    /// The page is at the root, says what it is, and is not sent twice.
    #[tokio::test]
    async fn the_page_is_served_and_remembered() {
        let first = get("/", None).await;
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(first.headers()[header::CACHE_CONTROL], "no-cache");
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = get("/index.html", Some(&format!("\"other\", {tag}"))).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[header::ETAG], tag.as_str());
        // It is the same page for those who come to see the numbers.
        let live = get("/live", None).await;
        assert_eq!(
            (live.status(), &live.headers()[header::ETAG]),
            (StatusCode::OK, &first.headers()[header::ETAG])
        );
    }

    /// A game is in the page by being in its folder: nobody lists it.
    #[tokio::test]
    async fn the_page_is_told_what_there_is() {
        let files =
            ["card/style.css", "deck/panel.js", "dom.js", "style.css", "types.js", "worker.js"];
        let chess = ["games/chess/game.js", "games/chess/style.css", "games/chess/types.js"];
        let told = found(files.iter().chain(&chess).copied());
        let links: Vec<&str> = told.lines().map(str::trim).collect();
        assert_eq!(
            links,
            [
                "<link rel=\"later\" href=\"/card/style.css\">",
                "<link rel=\"later\" href=\"/deck/panel.js\">",
                "<link rel=\"modulepreload\" href=\"/dom.js\">",
                "<link rel=\"modulepreload\" href=\"/games/chess/game.js\">",
                "<link rel=\"stylesheet\" href=\"/games/chess/style.css\">",
                "<meta name=\"games\" content=\"chess\">",
            ]
        );
        let body = get("/", None).await.into_body();
        let page = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert!(page.contains("href=\"/games/hangman/board.js\""), "{page}");
        assert!(page.contains("href=\"/games/hangman/style.css\"") && !page.contains(FOUND));
        assert!(page.contains("<meta name=\"games\" content=\"hangman"));
    }

    /// Modules only run when they are called what they are.
    #[test]
    fn types_are_what_browsers_insist_on() {
        for (path, kind) in [
            ("main.js", "text/javascript; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("favicon.svg", "image/svg+xml"),
            ("manifest.json", "application/json; charset=utf-8"),
            ("strange", "application/octet-stream"),
        ] {
            assert_eq!(content_type(path), kind);
        }
    }

    /// There is no way out of the page's folder.
    #[tokio::test]
    async fn nothing_else_is_served() {
        for path in [
            "/nothing.html",
            "/live/more",
            "/../Cargo.toml",
            "/..%2fCargo.toml",
            "//etc/passwd",
            "/./../src/lib.rs",
        ] {
            assert_eq!(get(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        let posted = serve(Method::POST, Uri::from_static("/"), HeaderMap::new()).await;
        assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
