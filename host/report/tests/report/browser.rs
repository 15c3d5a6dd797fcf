//! The page in a real browser: that it does nothing, however hard the texts on it try.
//!
//! Needs Chromium. Without it these tests say so and do nothing, unless `LEASEHOLD_REQUIRE_CHROMIUM` is set.
//! `LEASEHOLD_REPORT_PAGES=DIR` writes the pages there, to be looked at.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use leasehold_report::html;

use crate::scenes::{PLACES, attacked, everyday};

/// An attack that shows if it worked: it renames the page, marks the document, and calls home. `@` is where that is.
const ATTACK: &str = "</style></title></svg></pre><script>document.title='owned';document.documentElement.dataset.owned='1';alert(1);fetch('http://@/fetch')</script><img src=\"http://@/img\" onerror=\"document.documentElement.dataset.owned='2'\"><link rel=stylesheet href=http://@/css><iframe src=http://@/frame></iframe><svg onload=\"document.title='owned'\"><image href=http://@/svg /></svg><style>@import url(http://@/import);body{background:url(http://@/style)}</style><b style=\"background:url(http://@/attr)\">x</b>";

/// Without a window, and without business of its own.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--dump-dom",
];

/// A call that connected and asked for nothing.
const SILENT: &str = "connected, said nothing";

/// A place that notes who calls.
struct Home {
    address: String,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Home {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let counted = Arc::clone(&calls);
        thread::spawn(move || {
            // One thread a call: a connection opened ahead says nothing for long.
            for stream in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                thread::spawn(move || answer(stream, &counted));
            }
        });
        Home { address, calls }
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn attack(&self) -> String {
        // The rest of the attack has no other @ than that of @import.
        ATTACK
            .replace("@import", "#import")
            .replace('@', &self.address)
            .replace("#import", "@import")
    }
}

fn answer(mut stream: TcpStream, calls: &Mutex<Vec<String>>) {
    let mut request = [0; 2048];
    let length = stream.read(&mut request).unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..length]);
    let line = request.lines().next().unwrap_or(SILENT).to_owned();
    calls.lock().unwrap().push(line);
    let _ = stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/// What came of loading a page.
struct Seen {
    dom: String,
    log: String,
}

/// Where Chromium is, if it is anywhere.
fn chromium() -> Option<PathBuf> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "chrome",
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name)));
    let found = std::env::var_os("CHROMIUM")
        .map(PathBuf::from)
        .into_iter()
        .chain(places)
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("LEASEHOLD_REQUIRE_CHROMIUM").is_none(),
            "Chromium is required and is not on the PATH: apt-get install chromium, or set CHROMIUM"
        );
        println!(
            "NOT TESTED in a browser: Chromium is not on the PATH; apt-get install chromium, or set CHROMIUM"
        );
    }
    found
}

/// Writes a page where it can be looked at, if that is wanted.
fn keep(name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("LEASEHOLD_REPORT_PAGES") {
        fs::write(Path::new(&folder).join(name).with_extension("html"), page).unwrap();
    }
}

/// Loads a page and gives its document as it is when everything on it has been loaded.
fn load(chromium: &Path, page: &str) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    fs::write(&file, page).unwrap();
    let (dom, log) = (folder.path().join("dom"), folder.path().join("log"));
    let profile = folder.path().join("profile");
    let mut child = Command::new(chromium)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", file.display()))
        .env("HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("XDG_CACHE_HOME", folder.path())
        .stdin(Stdio::null())
        .stdout(File::create(&dom).unwrap())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let ended_well = wait(&mut child);
    let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    let seen = Seen {
        dom: text(&dom),
        log: text(&log),
    };
    assert!(ended_well && !seen.dom.is_empty(), "{}", seen.log);
    seen
}

/// Waits for a browser, but not for good: one that shows a dialog waits for somebody to answer it.
fn wait(child: &mut Child) -> bool {
    for _ in 0..900 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

impl Seen {
    fn owned(&self) -> bool {
        self.dom.contains("data-owned=") || self.dom.contains("<title>owned")
    }

    /// What the browser's console has to say, for instance about the policy.
    fn console(&self) -> Vec<&str> {
        self.log
            .lines()
            .filter(|line| line.contains("CONSOLE"))
            .collect()
    }
}

#[test]
fn a_hostile_page_does_nothing_and_shows_everything() {
    let Some(chromium) = chromium() else { return };
    let home = Home::new();
    ADDRESS.set(home.attack()).unwrap();
    let page = html(
        &attacked(|name| format!("[{name}]{}", ADDRESS.get().unwrap()))
            .tape
            .read(),
    )
    .unwrap();
    keep("hostile", &page);
    let seen = load(&chromium, &page);
    assert!(!seen.owned());
    assert!(seen.dom.contains("failed: run ") || seen.dom.contains("error: run "));
    assert_eq!(home.calls(), [""; 0]);
    assert_eq!(seen.console(), [""; 0]);
    for name in PLACES {
        assert!(
            seen.dom.contains(&format!("[{name}]&lt;/style&gt;")),
            "{name}"
        );
    }
    // And were the escaping wrong, the policy would still hold: the same attack as markup, at the end of the page.
    let raw = page.replace("</main>", &format!("{}</main>", home.attack()));
    assert_ne!(raw, page);
    let seen = load(&chromium, &raw);
    assert!(!seen.owned());
    assert!(
        seen.console()
            .iter()
            .any(|line| line.contains("Content Security Policy")),
        "{}",
        seen.log
    );
    // A browser may connect ahead of the policy; it must not say anything then.
    assert!(
        home.calls().iter().all(|call| call == SILENT),
        "{:?}",
        home.calls()
    );
    // The twin: without the policy the attack works, so this test would see it. A dialog would wait to be answered.
    let attack = home.attack().replace("alert(1);", "");
    let seen = load(
        &chromium,
        &format!("<!DOCTYPE html><title>mine</title>{attack}"),
    );
    assert!(seen.owned());
    assert!(home.calls().len() > 3, "{:?}", home.calls());
}

/// What the attacks of [`a_hostile_page_does_nothing_and_shows_everything`] are: texts are made by a plain function.
static ADDRESS: std::sync::OnceLock<String> = std::sync::OnceLock::new();

#[test]
fn an_everyday_page_is_shown_without_complaint() {
    let page = html(&everyday().tape.read()).unwrap();
    keep("everyday", &page);
    let Some(chromium) = chromium() else { return };
    let seen = load(&chromium, &page);
    assert_eq!(seen.console(), [""; 0]);
    assert!(seen.dom.contains("plugins/gates/changelog/src/lib.rs:2:19"));
}
