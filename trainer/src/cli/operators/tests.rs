use super::*;

#[test]
fn general_convolution_lends_its_elements_and_no_kernels() {
    assert_eq!(elements(Opcode::Conv2d), ["int8", "int16x8", "int4"]);
    assert_eq!(elements(Opcode::Softmax), ["int8"]);
    assert!(MACHINES.iter().all(|(_, own)| has(own, Opcode::Conv2d) && !has(own, Opcode::GeneralConv2d)));
}

#[test]
#[cfg(target_arch = "x86_64")]
fn readme_has_this_table() {
    let path = crate::board::repository().unwrap().join("README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let [before, after] = MARKERS;
    let table = readme.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map(|(table, _)| table);
    let remedy = "README.md is out of date: put what `ackermann operators --markdown` prints between its markers";
    assert_eq!(table, Some(markdown().as_str()), "{remedy} {before}and {after}");
}
