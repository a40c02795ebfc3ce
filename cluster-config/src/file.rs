//! Reading a configuration: one TOML file, then the environment on top of it.

use std::{fs, path::Path};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use serde::de::DeserializeOwned;

use crate::error::ConfigError;

/// A configuration that can be read from a file.
pub(crate) trait FromFile: DeserializeOwned {
    /// What the names of the environment variables that override the file begin with.
    const ENV_PREFIX: &'static str;

    /// Makes relative paths relative to the folder of the file they were written in.
    fn resolve(&mut self, folder: &Path);
    /// Holds everything that must be true of the settings.
    fn check(&self) -> Result<(), ConfigError>;
}

/// Reads, resolves and checks.
pub(crate) fn load<C: FromFile>(path: &Path) -> Result<C, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.into(), source })?;
    let mut config: C =
        parse(&text).map_err(|source| ConfigError::Malformed { path: path.into(), source })?;
    config.resolve(path.parent().unwrap_or(Path::new("")));
    config
        .check()
        .map_err(|source| ConfigError::Refused { path: path.into(), source: Box::new(source) })?;
    Ok(config)
}

fn parse<C: FromFile>(text: &str) -> Result<C, Box<figment::Error>> {
    let environment = Env::prefixed(C::ENV_PREFIX).split("__");
    Figment::from(Toml::string(text)).merge(environment).extract().map_err(Box::new)
}
