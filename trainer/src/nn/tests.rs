use super::*;

fn totals(name: &str) -> (usize, usize) {
    let summary = by_name(name).unwrap().summary().unwrap();
    (summary.iter().map(|l| l.parameters).sum(), summary.iter().map(|l| l.macs).sum())
}

#[test]
fn pilotnet_is_dave_2() {
    assert_eq!(totals("pilotnet"), (252_219, 26_876_342));
}

#[test]
fn micro_keeps_its_budget() {
    let (parameters, macs) = totals("micro");
    assert!(parameters <= 100_000 && macs <= 5_000_000, "{parameters} parameters, {macs} MACs");
}
