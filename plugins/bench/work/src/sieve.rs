//! Memory: the sieve of Eratosthenes.

/// How many primes lie below `limit`.
pub fn sieve(limit: usize) -> u64 {
    let mut composite = vec![false; limit];
    let mut primes = 0;
    for number in 2..limit {
        if composite[number] {
            continue;
        }
        primes += 1;
        if let Some(square) = number.checked_mul(number) {
            for multiple in (square..limit).step_by(number) {
                composite[multiple] = true;
            }
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_counted() {
        assert_eq!((sieve(2), sieve(3), sieve(100)), (0, 1, 25));
    }
}
