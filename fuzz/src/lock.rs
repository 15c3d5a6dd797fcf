//! `leasehold.lock`: `leasehold_rules::Lock`.

use leasehold_rules::Lock;

use crate::pipeline::places;

/// The oracle.
pub fn check(data: &[u8]) {
    match Lock::parse(data) {
        Ok(lock) => {
            let text = lock.to_text();
            let again = Lock::parse(text.as_bytes()).expect("what we write, we read");
            assert_eq!(again, lock);
            assert_eq!(again.to_text(), text);
            for entry in lock.entries() {
                assert_eq!(lock.get(&entry.name), Some(entry));
                assert_eq!(lock.clone().with(entry.clone()).as_ref(), Ok(&lock));
            }
        }
        Err(errors) => places(data, &errors),
    }
}
