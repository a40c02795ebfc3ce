//! The page's files, built into the binary.
//!
//! Browsers may keep them but have to ask whether they are still good; a file is
//! named by its hash, so that the answer is short. (In debug builds the files are
//! read from disk at every request, so that a page can be edited while it runs.)

use std::fmt::Write;

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "ui/"]
struct Files;

/// Answers a request for one of the page's files.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, "there is nothing to do here\n").into_response();
    }
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    match Files::get(path) {
        Some(file) => respond(path, file, &headers),
        None => (StatusCode::NOT_FOUND, "there is no such page\n").into_response(),
    }
}

fn respond(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = etag(&file);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let fresh = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag || one.trim() == "*"))
    {
        return (StatusCode::NOT_MODIFIED, fresh).into_response();
    }
    (fresh, [(header::CONTENT_TYPE, content_type(path))], file.data.into_owned()).into_response()
}

fn etag(file: &EmbeddedFile) -> String {
    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..12] {
        write!(tag, "{byte:02x}").expect("a string takes everything");
    }
    tag + "\""
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
