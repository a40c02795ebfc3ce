//! What people type behind `hangraft fault ...`.

use clap::ValueEnum;
use hangraft_proto::v1::{Traffic, link_fault::Trouble};

use super::{patterns::Pattern, plan::LinkTrouble};
use crate::{
    output::Output,
    reach::Reach,
    usage::{Usage, ensure},
};

/// How often a flapping link comes and goes when nobody says.
const FLAP_MS: u64 = 1_000;

/// For how long, and of which cluster.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// After this time it heals by itself: 500ms, 10s, 2m. Without it, `hangraft fault heal`
    /// ends it.
    #[arg(long = "for", value_name = "TIME", value_parser = time_ms)]
    pub(super) for_ms: Option<u64>,
    #[command(flatten)]
    pub(super) reach: Reach,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

/// Which links.
#[derive(Debug, clap::Args)]
pub(super) struct PathArgs {
    /// Which links; see the patterns below.
    #[arg(required = true, value_name = "PATTERN")]
    pattern: Vec<String>,
    /// With the pattern flap: so long on, so long off [default: 1s].
    #[arg(long = "every", value_name = "TIME", value_parser = time_ms)]
    every_ms: Option<u64>,
    #[command(flatten)]
    pub(super) how: How,
}

/// Which links, and what of them.
#[derive(Debug, clap::Args)]
pub(super) struct LinkArgs {
    /// Only this part of what is sent [default: both].
    #[arg(long, value_name = "PART", value_enum)]
    only: Option<Only>,
    #[command(flatten)]
    pub(super) path: PathArgs,
}

/// A part of what goes over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Only {
    /// Raft and commands.
    Streams,
    /// Gossip.
    Gossip,
}

/// A delay of links.
#[derive(Debug, clap::Args)]
pub(super) struct DelayArgs {
    /// By how much, in milliseconds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) ms: u64,
    /// By up to so much more, in milliseconds.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) jitter_ms: u64,
    #[command(flatten)]
    pub(super) link: LinkArgs,
}

/// Something that happens to a part of what is sent.
#[derive(Debug, clap::Args)]
pub(super) struct ShareArgs {
    /// How much of it, in percent.
    #[arg(long = "percent", value_name = "P", value_parser = ppm)]
    pub(super) ppm: u32,
    #[command(flatten)]
    pub(super) link: LinkArgs,
}

/// A narrow link.
#[derive(Debug, clap::Args)]
pub(super) struct BandwidthArgs {
    /// How much gets through each second, each way.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) bytes_per_s: u64,
    #[command(flatten)]
    pub(super) link: LinkArgs,
}

/// Which nodes.
#[derive(Debug, clap::Args)]
pub(super) struct NodeArgs {
    /// Which nodes: names, `leader`, `follower`, or `all`.
    #[arg(required = true, value_name = "NODE")]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) how: How,
}

/// A slow disk.
#[derive(Debug, clap::Args)]
pub(super) struct SlowDiskArgs {
    /// How much longer each sync of the log takes, in milliseconds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) ms: u64,
    /// By up to so much more, in milliseconds.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) jitter_ms: u64,
    #[command(flatten)]
    pub(super) node: NodeArgs,
}

/// A clock that is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct SkewArgs {
    #[command(flatten)]
    pub(super) ahead: Ahead,
    #[command(flatten)]
    pub(super) node: NodeArgs,
}

/// How far ahead of the real time.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Ahead {
    /// How far ahead, in milliseconds; negative for behind.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    ms: Option<i64>,
    /// How far ahead: 1h, 90s; -1h for behind.
    #[arg(long = "by", value_name = "TIME", value_parser = ahead_ms, allow_hyphen_values = true)]
    by_ms: Option<i64>,
}

/// What is wrong in a cluster.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) reach: Reach,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

/// What is to be healed.
#[derive(Debug, clap::Args)]
pub(super) struct HealArgs {
    /// Which nodes: names, `leader`, `follower`, or `all` [default: all].
    #[arg(value_name = "NODE")]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

impl PathArgs {
    /// What is asked for.
    ///
    /// # Errors
    /// When the words are no pattern, or do not go together.
    pub(super) fn wanted(&self, trouble: Trouble, traffic: Traffic) -> Result<LinkTrouble, Usage> {
        let pattern = Pattern::parse(&self.pattern).map_err(Usage)?;
        ensure(self.every_ms.is_none() || pattern.flaps(), || {
            "--every is for the pattern flap, as in `flap n1 n2 --every 1s`".into()
        })?;
        let flap_ms = if pattern.flaps() { self.every_ms.unwrap_or(FLAP_MS) } else { 0 };
        LinkTrouble::new(pattern, trouble, traffic, flap_ms)
    }
}

impl LinkArgs {
    pub(super) fn traffic(&self) -> Traffic {
        match self.only {
            None => Traffic::All,
            Some(Only::Streams) => Traffic::Streams,
            Some(Only::Gossip) => Traffic::Datagrams,
        }
    }
}

impl Ahead {
    /// In milliseconds.
    pub(super) fn ms(&self) -> Result<i64, Usage> {
        let ms = self.ms.or(self.by_ms).unwrap_or_default();
        ensure(ms != 0, || "a clock that is ahead by nothing is right".into())?;
        Ok(ms)
    }
}

/// A time, in milliseconds. Between nodes, 0 means for ever.
fn time_ms(text: &str) -> Result<u64, String> {
    let time = humantime::parse_duration(text).map_err(|err| err.to_string())?;
    match u64::try_from(time.as_millis()) {
        Ok(0) => Err("give at least 1ms".into()),
        Ok(ms) => Ok(ms),
        Err(_) => Err("that is too long".into()),
    }
}

/// A time with a sign, in milliseconds.
fn ahead_ms(text: &str) -> Result<i64, String> {
    let (sign, time) = match text.strip_prefix('-') {
        Some(time) => (-1, time),
        None => (1, text),
    };
    let ms = i64::try_from(time_ms(time)?).map_err(|_| "that is too long")?;
    Ok(sign * ms)
}

/// A share in percent, as parts of a million.
fn ppm(text: &str) -> Result<u32, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>().ok();
    let percent = percent.filter(|percent| *percent > 0.0 && *percent <= 100.0);
    let ppm = percent.map(|percent| (percent * 10_000.0).round() as u32);
    ppm.filter(|ppm| *ppm > 0).ok_or_else(|| "give a share above 0 and up to 100, such as 5".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_milliseconds() {
        for (text, ms) in [("10s", Some(10_000)), ("1m 5ms", Some(60_005)), ("1ms", Some(1))] {
            assert_eq!(time_ms(text).ok(), ms, "{text}");
        }
        for text in ["", "10", "soon", "0s", "5us", "-1s", "600000000years"] {
            assert!(time_ms(text).is_err(), "{text}");
        }
        for (text, ms) in [("1h", 3_600_000), ("-1h", -3_600_000), ("-90s", -90_000)] {
            assert_eq!(ahead_ms(text), Ok(ms), "{text}");
        }
        for text in ["", "-", "--1h", "0s", "-0s"] {
            assert!(ahead_ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_are_in_percent() {
        for (text, parts) in
            [("20", 200_000), ("20%", 200_000), ("0.5", 5_000), ("100", 1_000_000), ("0.0001", 1)]
        {
            assert_eq!(ppm(text), Ok(parts), "{text}");
        }
        for text in ["", "0", "-1", "100.1", "many", "NaN", "inf", "0.00001"] {
            assert!(ppm(text).unwrap_err().contains("such as 5"), "{text}");
        }
    }

    #[test]
    fn a_skew_is_said_in_one_of_two_ways() {
        let ahead = |ms, by_ms| Ahead { ms, by_ms }.ms().map_err(|err| err.0);
        assert_eq!(ahead(Some(-5), None), Ok(-5));
        assert_eq!(ahead(None, Some(3_600_000)), Ok(3_600_000));
        assert!(ahead(Some(0), None).is_err());
    }
}
