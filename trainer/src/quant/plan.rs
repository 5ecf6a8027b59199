//! The arena planner: where each tensor and each operator's scratch lives.
//!
//! Boards have little RAM and no allocator, so offsets are decided here, once. Finding the smallest arena is bin packing in
//! two dimensions (bytes and time); a greedy first fit is usually within a few percent, and trying several orders and
//! random exchanges of the best one closes most of the rest. The lower bound says how much could be left.

use ackermann_core::blob::ALIGNMENT;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Something that needs bytes from moment `first` to moment `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// How many bytes.
    pub bytes: usize,
    /// First moment (index of an operator, or 0 for what is there before) at which they are in use.
    pub first: usize,
    /// Last moment at which they are in use, >= `first`.
    pub last: usize,
}

impl Request {
    /// Bytes rounded up to the alignment.
    fn size(&self) -> usize {
        self.bytes.next_multiple_of(ALIGNMENT)
    }

    fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// A memory plan: requests in use at the same moment share no byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One offset per request, in the order they were given; multiples of 16.
    pub offsets: Vec<usize>,
    /// End of the last request: the arena to provide; a multiple of 16.
    pub arena_bytes: usize,
    /// No plan can be smaller: the most that is in use at one moment.
    pub lower_bound: usize,
}

/// Random exchanges tried when no order of the greedy search reaches the lower bound.
const EXCHANGES: usize = 300;

/// Plans `requests`. Deterministic.
pub fn plan(requests: &[Request]) -> Plan {
    let lower_bound = lower_bound(requests);
    let mut best: Option<(Vec<usize>, Plan)> = None;
    for key in ORDERS {
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(key(&requests[i])), i));
        let candidate = place(requests, &order, lower_bound);
        if best.as_ref().is_none_or(|(_, plan)| candidate.arena_bytes < plan.arena_bytes) {
            best = Some((order, candidate));
        }
    }
    let (order, plan) = best.unwrap_or_else(|| (Vec::new(), place(requests, &[], lower_bound)));
    exchange(requests, order, plan)
}

/// Which request is placed first: the largest, the one that blocks most bytes for most moments, the longest lived, the last.
const ORDERS: [fn(&Request) -> usize; 4] =
    [Request::size, |r| r.size().saturating_mul(r.last - r.first + 1), |r| r.last - r.first, |r| r.first];

/// Swaps two places of the order at a time and keeps what is not worse.
fn exchange(requests: &[Request], mut order: Vec<usize>, mut best: Plan) -> Plan {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..EXCHANGES {
        if best.arena_bytes == best.lower_bound || order.len() < 2 {
            break;
        }
        let (a, b) = (rng.random_range(0..order.len()), rng.random_range(0..order.len()));
        order.swap(a, b);
        let candidate = place(requests, &order, best.lower_bound);
        if candidate.arena_bytes <= best.arena_bytes {
            best = candidate;
        } else {
            order.swap(a, b);
        }
    }
    best
}

/// First fit: each request, in this order, takes the lowest gap between those already placed that it meets.
fn place(requests: &[Request], order: &[usize], lower_bound: usize) -> Plan {
    let mut offsets = vec![0; requests.len()];
    let mut placed: Vec<usize> = Vec::with_capacity(order.len());
    for &index in order {
        let request = &requests[index];
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&other| requests[other].meets(request))
            .map(|&other| (offsets[other], offsets[other] + requests[other].size()))
            .collect();
        taken.sort_unstable();
        let mut start = 0;
        for (from, to) in taken {
            if start + request.size() <= from {
                break;
            }
            start = start.max(to);
        }
        offsets[index] = start;
        placed.push(index);
    }
    let arena_bytes = requests.iter().zip(&offsets).map(|(r, offset)| offset + r.size()).max().unwrap_or(0);
    Plan { offsets, arena_bytes, lower_bound }
}

fn lower_bound(requests: &[Request]) -> usize {
    // The sum of what is in use only grows where something begins.
    let at = |moment: usize| {
        let live = requests.iter().filter(|r| (r.first..=r.last).contains(&moment));
        live.map(Request::size).sum::<usize>()
    };
    requests.iter().map(|r| at(r.first)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
