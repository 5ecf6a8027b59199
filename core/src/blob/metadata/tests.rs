use super::is_utf8;

/// Every sequence of edges of UTF-8's table, up to four bytes (under Miri, which is slow, two), against the standard library.
#[test]
fn utf8_is_what_the_standard_library_accepts() {
    let edges = [
        0, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
        0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    ];
    let mut accepted = 0;
    let longest = if cfg!(miri) { 2 } else { 4 };
    for length in 0..=longest {
        for number in 0..edges.len().pow(length) {
            let bytes: Vec<u8> = (0..length).map(|i| edges[number / edges.len().pow(i) % edges.len()]).collect();
            let valid = core::str::from_utf8(&bytes).is_ok();
            assert_eq!(is_utf8(&bytes), valid, "{bytes:x?}");
            accepted += u32::from(valid);
        }
    }
    assert!(accepted > if cfg!(miri) { 10 } else { 500 }, "only {accepted} accepted");
}
