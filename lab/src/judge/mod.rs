//! Holds what happened to what the cluster promises.
