use proptest::prelude::*;

use super::*;

fn request(bytes: usize, first: usize, last: usize) -> Request {
    Request { bytes, first, last }
}

#[test]
fn chain_needs_its_two_largest_neighbours() {
    let plan = plan(&[request(100, 0, 1), request(300, 1, 2), request(50, 2, 3), request(10, 3, 4)]);
    assert_eq!(plan.lower_bound, 112 + 304);
    assert_eq!(plan.arena_bytes, plan.lower_bound);
}

#[test]
fn branching_lives_reach_the_bound() {
    // A residual block: values that outlive their neighbours.
    let requests = [
        request(64, 0, 1),
        request(48, 1, 3),
        request(48, 3, 5),
        request(32, 2, 4),
        request(32, 4, 6),
        request(16, 0, 6),
        request(64, 5, 6),
    ];
    let by_size = place(&requests, &[0, 6, 1, 2, 3, 4, 5], lower_bound(&requests));
    let planned = plan(&requests);
    assert!(planned.arena_bytes <= by_size.arena_bytes);
    assert_eq!(planned.arena_bytes, planned.lower_bound);
}

#[test]
fn nothing_needs_nothing() {
    assert_eq!(plan(&[]), Plan { offsets: vec![], arena_bytes: 0, lower_bound: 0 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn live_requests_never_overlap(sizes in prop::collection::vec((0usize..5000, 0usize..20, 0usize..8), 1..40)) {
        let requests: Vec<Request> = sizes.iter().map(|&(bytes, first, life)| request(bytes, first, first + life)).collect();
        let planned = plan(&requests);
        for (i, a) in requests.iter().enumerate() {
            prop_assert_eq!(planned.offsets[i] % ALIGNMENT, 0);
            prop_assert!(planned.offsets[i] + a.bytes <= planned.arena_bytes);
            for (j, b) in requests.iter().enumerate().skip(i + 1) {
                let apart = planned.offsets[i] + a.bytes <= planned.offsets[j] || planned.offsets[j] + b.bytes <= planned.offsets[i];
                prop_assert!(apart || !a.meets(b), "{i} and {j} overlap");
            }
        }
        prop_assert!(planned.arena_bytes >= planned.lower_bound);
        prop_assert_eq!(planned, plan(&requests));
    }
}
