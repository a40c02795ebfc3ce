//! The little HTTP that a node speaks with those who watch over it, and who may ask.
//!
//! A page of a stranger, in a browser that can reach this node, must get nothing from it:
//! see [`Host`]. Browsers say whose page sends a request in `Origin`, and no program that
//! asks here has a reason to.

use hangraft_proto::host::{Host, HostError, Name};
use http::{HeaderMap, Request, Response, StatusCode, Version, header};
use tonic::body::Body;

/// Why a request is refused, whatever it asks for: the status, and a sentence.
pub(super) type Refused = (StatusCode, &'static str);

/// The names that this node's pages may be asked for by.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Vec<Name>);

impl Names {
    /// Its own name, and those that the configuration adds.
    pub(super) fn new(name: &str, hosts: &[String]) -> Self {
        let all = std::iter::once(name).chain(hosts.iter().map(String::as_str));
        Names(all.filter_map(Name::parse).collect())
    }

    /// Looks at where a request for a page was sent.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Refused> {
        let hosts = request.headers().get_all(header::HOST).iter().map(|host| host.as_bytes());
        let authority = request.uri().authority().map(|authority| authority.as_str());
        match Host::of(authority, hosts) {
            Ok(host) if host.name.is_nobodys() => Ok(()),
            Ok(host) if self.0.contains(&host.name) => Ok(()),
            Ok(_) => Err((
                StatusCode::FORBIDDEN,
                "this node is not known by that name; ask by address, or write the name into `hosts`\n",
            )),
            Err(HostError::Missing) => Err((StatusCode::BAD_REQUEST, "the host is missing\n")),
            Err(HostError::Several) => Err((StatusCode::BAD_REQUEST, "name one host\n")),
            Err(HostError::Malformed) => Err((StatusCode::BAD_REQUEST, "that is no host\n")),
        }
    }
}

/// Looks at who sent a request, whatever it is for.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), Refused> {
    if headers.contains_key(header::ORIGIN) {
        return Err((StatusCode::FORBIDDEN, "nodes do not answer pages\n"));
    }
    Ok(())
}

/// Whether a request is a gRPC call. gRPC is spoken over HTTP/2 only, which no browser
/// speaks without TLS; over HTTP/1.1 a page could send one.
pub(super) fn is_call<B>(request: &Request<B>) -> Result<bool, Refused> {
    let kind = request.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes());
    let after = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    // Not grpc-web, which is made for browsers.
    let call = after.is_some_and(|after| matches!(after, [] | [b'+' | b';' | b' ', ..]));
    if call && request.version() != Version::HTTP_2 {
        return Err((StatusCode::HTTP_VERSION_NOT_SUPPORTED, "gRPC is spoken over HTTP/2\n"));
    }
    Ok(call)
}

/// A page of plain text.
pub(super) fn text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::new(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, version: Version, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri(uri).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    /// Pages are asked for by an address or by a name that is ours; a request that does
    /// not say which, or says two things, is bad.
    #[test]
    fn pages_are_for_who_knows_our_name() {
        let names = Names::new("n1", &["Games.Internal".into()]);
        let status = |uri: &str, hosts: &[&str]| {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            let checked = names.check(&request(uri, Version::HTTP_11, &headers));
            checked.map_or_else(|(status, _)| status.as_u16(), |()| 200)
        };
        for (uri, hosts, expected) in [
            ("/metrics", &["127.0.0.1:7101"][..], 200),
            ("/metrics", &["[::1]:7101"], 200),
            ("/metrics", &["localhost:7101"], 200),
            ("/metrics", &["N1:7101"], 200),
            ("/metrics", &["games.internal"], 200),
            ("http://10.0.0.1:7101/metrics", &[], 200),
            ("/metrics", &["n2"], 403),
            ("/metrics", &["evil.example:7101"], 403),
            ("/metrics", &["localhost.evil.example"], 403),
            ("http://evil.example/metrics", &[], 403),
            ("http://evil.example/metrics", &["127.0.0.1"], 403),
            ("/metrics", &[], 400),
            ("/metrics", &["127.0.0.1", "127.0.0.1"], 400),
            ("/metrics", &["127.0.0.1,evil.example"], 400),
        ] {
            assert_eq!(status(uri, hosts), expected, "{uri} at {hosts:?}");
        }
        assert!(
            Names::new("", &[]).check(&request("/", Version::HTTP_11, &[("host", "")])).is_err()
        );
    }

    /// A call is gRPC, over HTTP/2; what browsers could send is none.
    #[test]
    fn calls_come_over_http2() {
        let call = |version, kind: &str| {
            let checked = is_call(&request("/", version, &[("content-type", kind)]));
            checked.map_err(|(status, _)| status.as_u16())
        };
        for kind in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
            assert_eq!(call(Version::HTTP_2, kind), Ok(true), "{kind}");
            assert_eq!(call(Version::HTTP_11, kind), Err(505), "{kind}");
        }
        for kind in ["text/plain", "application/grpc-web", "application/grpc-web-text", ""] {
            assert_eq!(call(Version::HTTP_2, kind), Ok(false), "{kind}");
            assert_eq!(call(Version::HTTP_11, kind), Ok(false), "{kind}");
        }
    }
}
