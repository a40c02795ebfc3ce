//! Who may ask what: decided by the token that a request shows, before its body is read.
//!
//! Being on the node's own machine is no role. A browser on it can be made to send
//! requests there by any page, and whoever may run a program on it may not run the
//! cluster. Each token is made from the cluster key for one purpose, so that what is
//! learned of one opens nothing else.

use super::body::Bounds;
use hangraft_cluster_config::ClusterKey;
use hangraft_proto::ACCESS_HEADER;
use http::HeaderMap;
use tonic::Status;

/// What a caller has shown to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallerRole {
    /// Nothing was shown, or nothing of this cluster.
    Stranger,
    /// Another node.
    Peer,
    /// A frontend, or a load generator; also a node that sends a frontend's commands on.
    Frontend,
    /// A person at a terminal, or a script of theirs.
    Operator,
}

/// Knows the cluster's tokens by their hashes.
#[derive(Clone)]
pub(crate) struct Access {
    tokens: [(blake3::Hash, CallerRole); 3],
}

impl Access {
    pub(crate) fn new(key: &ClusterKey) -> Self {
        let hash = |token: String| blake3::hash(token.as_bytes());
        Access {
            tokens: [
                (hash(key.peer_token()), CallerRole::Peer),
                (hash(key.access_token()), CallerRole::Frontend),
                (hash(key.operator_token()), CallerRole::Operator),
            ],
        }
    }

    /// Who a request comes from. Two tokens are none.
    pub(crate) fn role(&self, headers: &HeaderMap) -> CallerRole {
        let mut shown = headers.get_all(ACCESS_HEADER).iter();
        let (Some(token), None) = (shown.next(), shown.next()) else { return CallerRole::Stranger };
        let token = blake3::hash(token.as_bytes());
        // blake3 compares hashes in constant time.
        let known = self.tokens.iter().find(|(hash, _)| *hash == token);
        known.map_or(CallerRole::Stranger, |(_, role)| *role)
    }
}

/// Whether somebody may call a method, by its path. What is not named here is an
/// operator's, so that a new method is closed until somebody opens it. What the call's
/// body must keep to, then.
///
/// # Errors
/// The refusal, which says what to show.
pub(crate) fn admit(path: &str, role: CallerRole) -> Result<Bounds, Status> {
    let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match (service, role) {
        // It tells probes what a port that answers tells anybody.
        ("grpc.health.v1.Health", CallerRole::Stranger) => Ok(Bounds::Short),
        ("grpc.health.v1.Health", _) => Ok(Bounds::Member),
        // What is said there is sealed, message by message. A node of an earlier version
        // shows no token beside its seals.
        ("hangraft.v1.Raft", CallerRole::Stranger) => Ok(Bounds::Sealed),
        ("hangraft.v1.Raft", _) => Ok(Bounds::Member),
        ("hangraft.v1.Game", CallerRole::Frontend) => Ok(Bounds::Member),
        ("hangraft.v1.Game", _) => {
            Err(Status::unauthenticated("show the cluster's access token in `hangraft-access`"))
        }
        (_, CallerRole::Operator) => Ok(Bounds::Member),
        // For the status that another node was asked for.
        (_, CallerRole::Peer) if path == "/hangraft.v1.Cluster/Report" => Ok(Bounds::Member),
        (_, CallerRole::Stranger | CallerRole::Peer | CallerRole::Frontend) => {
            Err(Status::unauthenticated("this needs the cluster's key"))
        }
    }
}

/// The operators' methods by name. Only these are repeated to operators when somebody asks
/// for them in vain.
const OPERATORS_METHODS: [&str; 11] = [
    "Status",
    "Report",
    "Events",
    "Set",
    "TransferLeader",
    "Join",
    "Leave",
    "Backup",
    "Inject",
    "Faults",
    "Heal",
];

/// The method that a path means, if it is an operator's.
pub(crate) fn operators_method(path: &str) -> Option<&'static str> {
    let method = path.strip_prefix("/hangraft.v1.Cluster/")?;
    OPERATORS_METHODS.into_iter().find(|known| *known == method)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [CallerRole; 4] =
        [CallerRole::Stranger, CallerRole::Peer, CallerRole::Frontend, CallerRole::Operator];

    fn shown(tokens: &[&str]) -> HeaderMap {
        let tokens = tokens.iter().map(|token| token.parse().unwrap());
        tokens.map(|token| (http::HeaderName::from_static(ACCESS_HEADER), token)).collect()
    }

    /// Each token opens what it is for; together, wrong or missing they open nothing.
    #[test]
    fn a_token_is_a_role() {
        let key = ClusterKey::from_bytes([7; 32]);
        let access = Access::new(&key);
        let (peer, frontend) = (key.peer_token(), key.access_token());
        let operator = key.operator_token();
        let other = ClusterKey::from_bytes([8; 32]).operator_token();
        for (tokens, role) in [
            (&[][..], CallerRole::Stranger),
            (&[&*peer], CallerRole::Peer),
            (&[&*frontend], CallerRole::Frontend),
            (&[&*operator], CallerRole::Operator),
            (&[&*other], CallerRole::Stranger),
            (&[""], CallerRole::Stranger),
            (&[&*operator, &*operator], CallerRole::Stranger),
            (&[&*other, &*operator], CallerRole::Stranger),
        ] {
            assert_eq!(access.role(&shown(tokens)), role);
        }
    }

    /// Every call of the operators' service is closed to everybody else, also one that
    /// does not exist yet; only a node may ask another how it is.
    #[test]
    fn what_is_not_opened_is_an_operators() {
        let who = |path: &str| -> Vec<CallerRole> {
            ROLES.into_iter().filter(|role| admit(path, *role).is_ok()).collect()
        };
        for method in [
            "Status",
            "Events",
            "Observe",
            "Set",
            "TransferLeader",
            "Join",
            "Leave",
            "Backup",
            "New",
        ] {
            assert_eq!(who(&format!("/hangraft.v1.Cluster/{method}")), [CallerRole::Operator]);
        }
        assert_eq!(who("/hangraft.v1.Cluster/Report"), [CallerRole::Peer, CallerRole::Operator]);
        for path in [
            "",
            "/",
            "//hangraft.v1.Cluster/Report",
            "/hangraft.v1.Cluster/Report/",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "/hangraft.v1.Cluster2/Report",
        ] {
            assert_eq!(who(path), [CallerRole::Operator], "{path}");
        }
        for method in ["Link", "Rooms", "Read", "Look", "New"] {
            assert_eq!(who(&format!("/hangraft.v1.Game/{method}")), [CallerRole::Frontend]);
        }
        assert_eq!(who("/hangraft.v1.Raft/Append"), ROLES);
        assert_eq!(who("/grpc.health.v1.Health/Check"), ROLES);
        // What strangers may say is short, but for what may be sealed.
        let health = admit("/grpc.health.v1.Health/Watch", CallerRole::Stranger);
        assert_eq!(health.unwrap(), Bounds::Short);
        assert_eq!(admit("/hangraft.v1.Raft/Vote", CallerRole::Stranger).unwrap(), Bounds::Sealed);
        assert_eq!(admit("/hangraft.v1.Raft/Vote", CallerRole::Peer).unwrap(), Bounds::Member);
    }
}
