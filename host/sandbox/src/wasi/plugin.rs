//! `leasehold:plugin/host`: log, progress and attachments.

use super::bindings::system::leasehold::plugin::host;
use super::{Door, Host, enter, enter_with};
use crate::state::{Attachment, CallState, LogLine};

/// Attachments of one call.
const ATTACHMENTS: usize = 64;
/// The longest name or media type of an attachment, in bytes.
const NAME_BYTES: usize = 128;

impl host::Host for CallState {}
impl host::HostWithStore<CallState> for Host {
    fn log(mut door: Door<'_>, level: host::Level, message: String) -> wasmtime::Result<()> {
        enter_with(&mut door, message.len())?;
        let level = match level {
            host::Level::Debug => "debug",
            host::Level::Info => "info",
            host::Level::Warn => "warn",
            host::Level::Error => "error",
        };
        door.get().output.log(LogLine { level, message })?;
        Ok(())
    }

    fn progress(mut door: Door<'_>, _done: u64, _total: Option<u64>) -> wasmtime::Result<()> {
        // Nobody watches a single call yet; saying it costs what saying anything costs.
        enter(&mut door)
    }

    fn attach(
        mut door: Door<'_>,
        name: String,
        media_type: String,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Result<(), String>> {
        enter_with(&mut door, name.len() + media_type.len() + bytes.len())?;
        let output = &mut door.get().output;
        if let Err(why) = check(&name, &media_type, &output.attachments) {
            return Ok(Err(why));
        }
        output.take(bytes.len())?;
        output.attachments.push(Attachment {
            name,
            media_type,
            bytes,
        });
        Ok(Ok(()))
    }
}

fn check(name: &str, media_type: &str, there: &[Attachment]) -> Result<(), String> {
    let plain = |text: &str, also: &str| {
        !text.is_empty()
            && text.len() <= NAME_BYTES
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || also.as_bytes().contains(&byte))
    };
    if !plain(name, "-_.") || name.starts_with('.') {
        return Err("a name has 1 to 128 letters, digits, `-`, `_` and `.`".into());
    }
    if !plain(media_type, "-_.+/;= ") {
        return Err("this is not a media type".into());
    }
    if there.iter().any(|attachment| attachment.name == name) {
        return Err("the name is taken".into());
    }
    if there.len() >= ATTACHMENTS {
        return Err(format!("a call attaches at most {ATTACHMENTS} things"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_unique_and_few() {
        let one = Attachment {
            name: "a.json".into(),
            media_type: "application/json".into(),
            bytes: Vec::new(),
        };
        let json = "application/json";
        assert!(check("b.json", json, std::slice::from_ref(&one)).is_ok());
        assert!(check("a.json", json, std::slice::from_ref(&one)).is_err());
        for bad in ["", "../x", ".x", "a/b", "a\n"] {
            assert!(check(bad, json, &[]).is_err(), "{bad:?}");
        }
        assert!(check("x", "text/\u{1b}[31m", &[]).is_err());
        assert!(check("x", "text/plain; charset=utf-8", &[]).is_ok());
        let many = vec![one; ATTACHMENTS];
        assert!(check("b", json, &many).is_err());
    }
}
