//! A small host in Rust: loads a plugin, runs one instance, prints what happens, and ends after so many events or on
//! Ctrl-C. With a second build it swaps to that one and back after each renewal.
//!
//!     issuer-rust-host PLUGIN.so CONFIG_JSON [EVENTS [OTHER_PLUGIN.so]]

use issuer::{abi, Error, Issuer, Listener, Plugin};
use std::env;
use std::os::raw::c_int;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::Mutex;
use std::time::Duration;

const STATES: [&str; 9] =
    ["stopped", "starting", "active", "retrying", "capped", "not_renewable", "no_expiry", "denied", "expired"];
const RESULTS: [&str; 4] = ["-", "success", "failure", "not_renewable"];

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" {
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
}

extern "C" fn on_signal(_: c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Codes grow: one that this host does not know is no error.
fn name<'a>(names: &[&'a str], code: i32) -> &'a str {
    usize::try_from(code).ok().and_then(|code| names.get(code)).copied().unwrap_or("unknown")
}

struct Printer {
    news: Mutex<Sender<bool>>, // one for each event: whether it is a renewal
}

impl Listener for Printer {
    fn record(&self, event: &abi::Event) {
        let kind = match event.kind {
            abi::EVENT_RENEWAL => "renewal",
            abi::EVENT_LOGIN => "login",
            _ => "state",
        };
        let (state, result) = (name(&STATES, event.state), name(&RESULTS, event.result));
        let detail = unsafe { event.detail.copy() };
        println!("{kind} state={state} result={result} reason={} ttl_ms={} {detail}", event.reason, event.ttl_ms);
        let _ = self.news.lock().unwrap().send(event.kind == abi::EVENT_RENEWAL);
    }

    fn log(&self, level: i32, component: String, text: String) {
        if level >= 1 && component != "events" {
            eprintln!("{component}: {text}");
        }
    }
}

fn run(path: &str, config: &str, limit: u64, other: Option<&str>) -> Result<(), Error> {
    let plugin = Plugin::load(Path::new(path))?;
    let mut spare = other.map(|path| Plugin::load(Path::new(path))).transpose()?;
    let (id, version) = plugin.about();
    println!("plugin {id} {version}");
    let (news, heard) = channel();
    let printer = Printer { news: Mutex::new(news) };
    let mut current = plugin.clone();
    let mut issuer = Issuer::new(plugin, config, &printer)?;
    issuer.start()?;
    let mut seen = 0;
    while (limit == 0 || seen < limit) && !INTERRUPTED.load(Ordering::Relaxed) {
        let renewed = match heard.recv_timeout(Duration::from_millis(100)) {
            Ok(renewed) => renewed,
            Err(RecvTimeoutError::Timeout) => continue, // look for Ctrl-C
            Err(RecvTimeoutError::Disconnected) => break,
        };
        seen += 1;
        if let (true, Some(next)) = (renewed, &spare) {
            let next = next.clone();
            issuer.swap(next.clone())?;
            spare = Some(std::mem::replace(&mut current, next));
            println!("swapped to {}", current.about().1);
        }
    }
    issuer.stop()
}

fn main() -> ExitCode {
    for number in [2, 15] {
        unsafe { signal(number, on_signal) };
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    if !(2..=4).contains(&arguments.len()) {
        eprintln!("usage: issuer-rust-host PLUGIN.so CONFIG_JSON [EVENTS [OTHER_PLUGIN.so]]");
        return ExitCode::from(2);
    }
    let limit = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(0);
    match run(&arguments[0], &arguments[1], limit, arguments.get(3).map(String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
