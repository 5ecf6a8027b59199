//! What the table of operators is made of.

use super::*;

#[test]
fn every_method_of_every_kernel_set_serves_an_operator() {
    let sets = [Reference::OWN, Portable::OWN, Dsp::OWN, Mve::OWN, Neon::OWN, Selected::OWN];
    for method in sets.concat() {
        let serves = Opcode::ALL.iter().any(|opcode| opcode.kernel() == method);
        assert!(serves, "no operator names `{method}` as its kernel: see Opcode::kernel");
    }
    assert!(Reference::OWN.contains(&"add") && !Portable::OWN.contains(&"add"));
}
