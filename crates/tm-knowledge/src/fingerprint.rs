//! Texts that say nearly the same have nearly the same fingerprint.
//!
//! A fingerprint is a simhash: each pair of neighbouring words votes on each of its 64 bits.
//! Copies with another date or a changed word differ in few of them.

use crate::terms::words;

/// The fingerprint of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub u64);

/// Bits that may differ between two versions of a text.
const NEAR: u32 = 4;

impl Fingerprint {
    pub fn of(text: &str) -> Self {
        let mut votes = [0_i32; 64];
        let mut last = String::new();
        for word in words(text) {
            let hash = hash(last.bytes().chain([b' ']).chain(word.bytes()));
            for (bit, vote) in votes.iter_mut().enumerate() {
                *vote += if hash >> bit & 1 == 1 { 1 } else { -1 };
            }
            last = word;
        }
        let bits = votes.iter().enumerate().filter(|(_, vote)| **vote > 0);
        Self(bits.fold(0, |all, (bit, _)| all | 1 << bit))
    }

    pub fn is_near(self, other: Self) -> bool {
        (self.0 ^ other.0).count_ones() <= NEAR
    }
}

/// FNV-1a, and a last mix so that short texts reach every bit.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests;
