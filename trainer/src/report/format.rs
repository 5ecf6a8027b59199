//! Numbers as people read them.

/// `1234567` as `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes with a binary unit: `512 B`, `95.5 KiB`, `1.25 MiB`.
pub fn bytes(value: u64) -> String {
    const KIB: f64 = 1024.0;
    match value as f64 {
        v if v < KIB => format!("{value} B"),
        v if v < KIB * KIB => format!("{:.1} KiB", v / KIB),
        v if v < KIB * KIB * KIB => format!("{:.2} MiB", v / KIB / KIB),
        v => format!("{:.2} GiB", v / KIB / KIB / KIB),
    }
}

/// A fraction as a percentage: `0.983` with one digit is `98.3 %`.
pub fn percent(fraction: f64, digits: usize) -> String {
    finite(fraction, || format!("{:.digits$} %", fraction * 100.0))
}

/// A number with so many digits after the point; a dash where it is not finite.
pub fn fixed(value: f64, digits: usize) -> String {
    finite(value, || format!("{value:.digits$}"))
}

/// [`fixed`] of a number that may not apply.
pub fn optional(value: Option<f64>, digits: usize) -> String {
    fixed(value.unwrap_or(f64::NAN), digits)
}

/// A duration: `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 10 min`.
pub fn seconds(value: f64) -> String {
    let whole = value.round().max(0.0) as u64;
    finite(value, || match value {
        v if v < 10.0 => format!("{v:.2} s"),
        v if v < 60.0 => format!("{v:.1} s"),
        _ if whole < 3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    })
}

fn finite(value: f64, text: impl FnOnce() -> String) -> String {
    if value.is_finite() { text() } else { "–".into() }
}
