//! A cluster that runs, on the page.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{anyhow, bail};
use hangraft_lab::{
    timeline::{ClientNamed, FORMAT, Head},
    viewer::Settings,
};

use crate::{
    address,
    demo::lan,
    lab::{
        Place,
        bots::Bots,
        deeds::{Deeds, Subject, scripts, shell_word},
        fan::Fan,
        ground::{self, Ground},
        screens,
        store::KEPT_US,
        story::Story,
        web::{self, Lab, Shown},
    },
    output::print,
    play::{
        client::Scene,
        manner::{BOTS_MAX, Manner, RATE_MAX},
        record::Record,
        stage::Wanted,
        watch::{watch, watch_nodes},
    },
    process::StopRequests,
    usage::ensure,
};

/// Bots when nobody says how many.
const BOTS: u32 = 8;

/// What cluster, and for whom.
#[derive(Debug, clap::Args)]
#[group(id = "live")]
pub(crate) struct Args {
    /// How many nodes to start: 1, 3, 5 or 7.
    #[arg(long, value_name = "N", default_value_t = 3)]
    nodes: u16,
    /// How many nodes more, which join as spares.
    #[arg(long, value_name = "N", default_value_t = 0)]
    spares: u16,
    /// How many frontends.
    #[arg(long, value_name = "N", default_value_t = 2)]
    frontends: u16,
    /// The first frontend's port; the others follow.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The first node's port; the others follow [default: 7101, or as in DIR].
    #[arg(long, value_name = "PORT")]
    node_port: Option<u16>,
    /// The page's port.
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    lab_port: u16,
    /// Where the page and the frontends listen. What is not this machine alone opens the page
    /// to whoever has a link.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    host: IpAddr,
    /// How many bots play [default: 8; with --attach none].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(BOTS_MAX)))]
    bots: Option<u32>,
    /// Let bots make so many moves a second in all, instead of a pace that people can follow.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(RATE_MAX)))]
    rate: Option<u32>,
    /// What bots do is drawn from this number.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Where to keep games, keys and logs; without it, a temporary folder. With --attach a
    /// demo that runs.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Watch a cluster that runs: by some of its nodes, or the demo in DIR. It can be broken
    /// only where its nodes allow it.
    #[arg(long, value_name = "ADDR", num_args = 0.., value_delimiter = ',', value_parser = address::node)]
    attach: Option<Vec<SocketAddr>>,
    /// The key of the cluster that is watched.
    #[arg(long, value_name = "FILE", env = "HANGRAFT_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// The folder with scripts of faults [default: scripts/faults].
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
    /// Open the page in a browser.
    #[arg(long)]
    open: bool,
}

/// Shows a cluster until somebody asks it to stop.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = StopRequests::listen(false)?;
    let place = Place::take(args.host, args.lab_port).await?;
    let ground = tokio::select! {
        ground = args.ground() => ground?,
        _ = stop.next() => return Ok(()),
    };
    let (manner, bots) = args.manner();
    ensure(bots == 0 || ground.access.is_some(), || {
        "bots need the cluster's key: give --key-file".into()
    })?;
    Show::new(&args, place, ground, manner, bots)?.until(&mut stop).await
}

impl Args {
    async fn ground(&self) -> anyhow::Result<Ground> {
        match (&self.attach, &self.dir) {
            (None, dir) => Ground::start(&self.wanted(dir.clone()), self.seed).await,
            (Some(nodes), Some(dir)) if nodes.is_empty() => Ground::at(dir, self.seed),
            (Some(nodes), None) if !nodes.is_empty() => {
                Ground::attach(nodes, self.key_file.clone()).await
            }
            _ => {
                let advice = "--attach takes addresses of nodes, or stands beside --dir of a demo";
                Err(crate::usage::Usage(advice.into()).into())
            }
        }
    }

    fn wanted(&self, dir: Option<PathBuf>) -> Wanted {
        Wanted {
            nodes: self.nodes,
            spares: self.spares,
            frontends: self.frontends,
            namespaces: None,
            port: Some(self.port),
            node_port: self.node_port,
            host: Some(self.host),
            dir,
        }
    }

    /// How bots play, and how many.
    fn manner(&self) -> (Manner, u32) {
        let usual = if self.attach.is_some() { 0 } else { BOTS };
        let bots = self.bots.unwrap_or(usual);
        match self.rate {
            Some(rate) => Manner::of_busy_bots(rate, bots),
            None => (Manner::of_bots(), bots),
        }
    }

    /// The command line that does the same, where that is a demo.
    fn command(&self, subject: &Subject) -> String {
        match (&self.attach, subject) {
            (None, _) => {
                let mut line = format!("hangraft lab --nodes {} --seed {}", self.nodes, self.seed);
                line += &self.bots.map_or(String::new(), |bots| format!(" --bots {bots}"));
                line + &self.rate.map_or(String::new(), |rate| format!(" --rate {rate}"))
            }
            (Some(_), Subject::Demo { dir, .. }) => {
                format!("hangraft lab --attach --dir {}", shell_word(&dir.display().to_string()))
            }
            (Some(_), Subject::Nodes { nodes, .. }) => format!("hangraft lab --attach {nodes}"),
        }
    }
}

/// All that runs for a lab.
struct Show {
    ground: Ground,
    scene: Option<Arc<Scene>>,
    bots: u32,
    record: Arc<Record>,
    story: Story,
    place: Place,
    lab: Lab,
    welcome: String,
    open: bool,
}

impl Show {
    fn new(
        args: &Args,
        place: Place,
        mut ground: Ground,
        manner: Manner,
        bots: u32,
    ) -> anyhow::Result<Self> {
        let record = Arc::new(Record::followed());
        let fan_head = head(args, &ground, bots);
        let fan = Arc::new(Fan::new(fan_head.clone()));
        let story = Story::new(&record, &fan, fan_head)?;
        let welcome = welcome(args, &place, &ground, bots);
        let scene = ground.access.take().map(|access| {
            Arc::new(Scene {
                record: Arc::clone(&record),
                entrances: ground.entrances.clone(),
                nodes: Mutex::new(ground.nodes.clone()),
                members: ground.members,
                access,
                manner,
                seed: args.seed,
            })
        });
        let scripts = args.scenarios.clone().or_else(scripts);
        let subject = ground.subject.clone();
        let dir = subject.dir().map(|dir| dir.display().to_string());
        let deeds = ground.breaks.then(|| Deeds::new(subject, scripts.as_deref(), &record));
        let deeds = deeds.transpose()?;
        let settings = Settings {
            live: true,
            breaks: deeds.is_some(),
            watch_only: false,
            dir,
            frontends: seen_from(args.host, &ground.frontends),
            scenarios: deeds.as_ref().map(Deeds::scenarios).unwrap_or_default(),
            forks: false,
            kept_us: KEPT_US,
        };
        let lab = Lab::new(place.guard.clone(), Shown::Live(fan), deeds, None, &settings);
        Ok(Self { ground, scene, bots, record, story, place, lab, welcome, open: args.open })
    }

    /// Runs until somebody asks it to stop, or what is shown has ended.
    async fn until(self, stop: &mut StopRequests) -> anyhow::Result<()> {
        let Self { mut ground, scene, bots, record, story, place, lab, welcome, open } = self;
        print(&welcome)?;
        if open {
            place.open();
        }
        let stage = ground.stage.take();
        let dir = ground.subject.dir().map(ToOwned::to_owned);
        let watching = async {
            match &dir {
                Some(dir) => watch(dir, &record).await,
                None => {
                    watch_nodes(&ground.doors, &record).await;
                    Ok(())
                }
            }
        };
        let playing = async {
            let Some(scene) = &scene else { return std::future::pending().await };
            let playing = Bots::play(bots, scene);
            let following = ground::follow(&ground.doors, dir.as_deref(), scene);
            tokio::join!(screens::look(bots, scene, &playing), following);
        };
        let mut stage = stage;
        let shown = tokio::select! {
            _ = stop.next() => Ok(()),
            Err(err) = watching => Err(err),
            Err(err) = story.tell() => Err(err),
            () = web::serve(place.listener, lab.router()) => Ok(()),
            () = playing => bail!("nobody plays any more"),
            () = ended(&mut stage) => Err(anyhow!("the demo has ended by itself")),
        };
        if let Some(stage) = stage {
            stage.stop().await;
        }
        shown
    }
}

async fn ended(stage: &mut Option<crate::play::stage::Stage>) {
    match stage {
        Some(stage) => stage.ended().await,
        None => std::future::pending().await,
    }
}

fn head(args: &Args, ground: &Ground, bots: u32) -> Head {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let screens = ClientNamed { id: bots, name: screens::NAME.into() };
    Head {
        format: FORMAT,
        title: "lab".into(),
        began_unix_ms: u64::try_from(unix.as_millis()).unwrap_or_default(),
        from: 0,
        command: args.command(&ground.subject),
        about: String::new(),
        nodes: ground.named.clone(),
        clients: Bots::named(bots).chain([screens]).collect(),
    }
}

/// The frontends' URLs as those see them for whom the page is: those who listen everywhere
/// are found at this machine's address on its network.
fn seen_from(host: IpAddr, frontends: &[String]) -> Vec<String> {
    let outside = host.is_unspecified().then(lan::addresses).and_then(|all| all.first().copied());
    let Some(outside) = outside else { return frontends.to_vec() };
    let seen = frontends.iter().map(|url| {
        let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port.map_or(url.clone(), |port| format!("http://{}", SocketAddr::new(outside, port)))
    });
    seen.collect()
}

/// What a person reads first.
fn welcome(args: &Args, place: &Place, ground: &Ground, bots: u32) -> String {
    let mut text = "The lab is open:\n\n".to_owned();
    place.links().iter().for_each(|link| text += &format!("  {link}\n"));
    for (frontend, word) in
        seen_from(args.host, &ground.frontends).iter().zip(["Play at ", "or at   "].iter().cycle())
    {
        text += &format!("\n{word} {frontend}");
    }
    if !ground.frontends.is_empty() {
        text.push('\n');
    }
    text += &format!("\n{} nodes are watched; {bots} bots play.", ground.nodes.len());
    if !ground.breaks {
        text += "\nNothing can be broken here: these nodes do not allow it (faults = true).";
    }
    text += match (&args.attach, args.dir.is_some()) {
        (Some(_), _) => "\nCtrl-C ends the lab; the cluster goes on.",
        (None, true) => "\nCtrl-C stops everything. Games stay in the folder.",
        (None, false) => "\nCtrl-C stops everything.",
    };
    text
}
