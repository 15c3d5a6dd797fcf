//! Signed notes and checkpoints: `leasehold_seal::note`, `leasehold_tape::Checkpoint`.

use leasehold_seal::Digest;
use leasehold_seal::note::{self, Note};
use leasehold_tape::Checkpoint;
use leasehold_tape::checkpoint::origin;

use crate::keys::{HOST, OTHER};

/// The oracle.
pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        checkpoint_text(text);
    }
    let Ok(note) = Note::parse(data) else {
        return;
    };
    let text = note.unverified_text();
    assert!(data.starts_with(text.as_bytes()) && text.ends_with('\n'));
    let host = HOST.public();
    // Whoever is asked for, by the name a line states: opened exactly when all lines of that key verify and one is there.
    for line in note.unverified_signatures() {
        let ours = |other: &&note::SignatureLine| {
            other.name == line.name && other.key_hash == note::key_hash(&line.name, &host)
        };
        let lines = || note.unverified_signatures().iter().filter(ours);
        let good = lines().all(|line| host.verify(text.as_bytes(), &line.signature).is_ok());
        let opened = note.open(&[(&line.name, &host)]);
        assert_eq!(opened.is_ok(), good && lines().next().is_some());
        if let Ok(opened) = opened {
            assert_eq!(opened.text(), text);
            assert_eq!(opened.signers().len(), 1);
        }
    }
    // Signed once more, it opens by that key and has the same text.
    if let Ok(signed) = note::sign(text, "fuzz", &OTHER) {
        let again = Note::parse(signed.as_bytes()).expect("what we sign, we read");
        let opened = again
            .open(&[("fuzz", &OTHER.public())])
            .expect("it is signed");
        assert_eq!(opened.text(), text);
    }
    checkpoint(data, &note);
}

/// A checkpoint opens only when its note does, and says what the text says.
fn checkpoint(data: &[u8], note: &Note) {
    let tapes = Checkpoint::parse(note.unverified_text()).map(|checkpoint| checkpoint.tape);
    let tape = tapes.unwrap_or(Digest::of(b"tape"));
    let host = HOST.public();
    if let Ok(signed) = Checkpoint::open(data, &tape, &[&host]) {
        assert!(note.open(&[(&origin(&tape), &host)]).is_ok());
        assert_eq!(signed.checkpoint.tape, tape);
        assert!(
            note.unverified_text()
                .starts_with(&signed.checkpoint.text())
        );
        let other = Digest::of(b"another tape");
        assert!(Checkpoint::open(data, &other, &[&host]).is_err());
        assert!(Checkpoint::open(data, &tape, &[&OTHER.public()]).is_err());
    }
}

/// The first three lines have one spelling; what follows are extension lines.
fn checkpoint_text(text: &str) {
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        let written = checkpoint.text();
        assert!(
            text.starts_with(&written),
            "{written:?} is not how {text:?} begins"
        );
        assert_eq!(Checkpoint::parse(&written).as_ref(), Ok(&checkpoint));
    }
}
