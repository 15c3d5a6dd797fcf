//! The Merkle tree over the records of a tape, exactly as in RFC 6962 section 2.1.
//!
//! A leaf is `SHA-256(0x00 ‖ record)`, an inner node `SHA-256(0x01 ‖ left ‖ right)`, the root of no
//! leaves `SHA-256("")`. A [`Frontier`] holds what appending needs: one digest per set bit of the
//! size, so a tape of a million records fits in twenty digests.

use leasehold_seal::Digest;
use sha2::{Digest as _, Sha256};

/// The leaf of one record: `SHA-256(0x00 ‖ record)`, the record without its line feed.
pub fn leaf(record: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(record);
    Digest::from_bytes(hasher.finalize().into())
}

/// The roots of the perfect subtrees of a growing tree, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Digest>,
}

impl Frontier {
    /// The frontier of an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rebuilds a frontier from its parts; `None` when the number of nodes does not fit the size.
    pub fn from_parts(size: u64, nodes: Vec<Digest>) -> Option<Self> {
        (nodes.len() as u64 == u64::from(size.count_ones())).then_some(Self { size, nodes })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, largest (leftmost) first.
    pub fn nodes(&self) -> &[Digest] {
        &self.nodes
    }

    /// Adds one leaf; one hash on average.
    pub fn append(&mut self, leaf: Digest) {
        let mut node = leaf;
        // Each trailing one-bit of the size is a finished subtree that the new node completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = inner(&left, &node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The root of the tree as it stands.
    pub fn root(&self) -> Digest {
        let mut nodes = self.nodes.iter().rev();
        match nodes.next() {
            None => Digest::of(b""),
            Some(last) => nodes.fold(*last, |right, left| inner(left, &right)),
        }
    }
}

/// The root over a list of leaves.
pub fn root(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier.root()
}

/// The audit path of leaf `index` in the tree over `leaves`, lowest node first; `None` when there
/// is no such leaf.
pub fn inclusion_proof(leaves: &[Digest], index: u64) -> Option<Vec<Digest>> {
    let mut index = usize::try_from(index)
        .ok()
        .filter(|at| *at < leaves.len())?;
    let mut span = leaves;
    let mut path = Vec::new();
    while span.len() > 1 {
        let (left, right) = span.split_at(split(span.len()));
        if index < left.len() {
            path.push(root(right));
            span = left;
        } else {
            path.push(root(left));
            index -= left.len();
            span = right;
        }
    }
    path.reverse();
    Some(path)
}

/// Whether `path` proves that `leaf` is number `index` of the tree of `size` leaves with this root
/// (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut at, mut last) = (*leaf, index, size - 1);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = inner(sibling, &node);
            // A right edge without siblings rises until it is a right child.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            node = inner(&node, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

fn inner(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// The largest power of two smaller than `len` (at least 2).
fn split(len: usize) -> usize {
    1 << (usize::BITS - 1 - (len - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight leaves and roots of Certificate Transparency's own test data
    /// (`merkle_tree_test.cc`), which every RFC 6962 implementation is checked against.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count).map(|n| leaf(&n.to_be_bytes())).collect()
    }

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), Digest::of(b""));
        for (input, expected) in LEAVES.iter().zip(ROOTS) {
            frontier.append(leaf(&unhex(input)));
            assert_eq!(frontier.root().hex(), expected);
        }
    }

    #[test]
    fn a_frontier_has_one_node_per_set_bit_and_survives_its_parts() {
        let mut frontier = Frontier::new();
        for (n, leaf) in leaves(300).into_iter().enumerate() {
            frontier.append(leaf);
            assert_eq!(frontier.nodes().len() as u32, (n as u64 + 1).count_ones());
            let again = Frontier::from_parts(frontier.size(), frontier.nodes().to_vec()).unwrap();
            assert_eq!(again.root(), frontier.root());
        }
        assert!(Frontier::from_parts(3, leaves(3)).is_none());
    }

    #[test]
    fn every_proof_verifies_and_no_other_does() {
        for size in 1..70_u64 {
            let leaves = leaves(size as usize);
            let root = root(&leaves);
            for index in 0..size {
                let path = inclusion_proof(&leaves, index).unwrap();
                let leaf = &leaves[index as usize];
                assert!(verify_inclusion(leaf, index, size, &path, &root));
                assert!(!verify_inclusion(leaf, index + 1, size, &path, &root));
                assert!(!verify_inclusion(&root, index, size, &path, &root) || size == 1);
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!verify_inclusion(leaf, index, size, shorter, &root));
                }
                let longer = [path.as_slice(), &[root]].concat();
                assert!(!verify_inclusion(leaf, index, size, &longer, &root));
            }
            assert!(inclusion_proof(&leaves, size).is_none());
        }
    }
}
