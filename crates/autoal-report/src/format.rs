//! Numbers as people read them.

/// A share in percent: `72.31`.
pub(crate) fn percent(value: f64, digits: usize) -> String {
    fixed(value * 100.0, digits)
}

/// A number with fixed decimals, a real minus sign, and no negative zero.
pub(crate) fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let is_zero = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    match text.strip_prefix('-') {
        Some(rest) if is_zero => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// A number with so many digits from the first that is not 0: `1.23`, `0.000123`, `1234`; below a millionth with an exponent.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    let place = value.abs().log10().floor();
    if value == 0.0 || !place.is_finite() {
        return fixed(value, 0);
    }
    if place < -6.0 {
        return format!("{value:.*e}", digits.saturating_sub(1)).replace('-', "−");
    }
    fixed(value, (digits as f64 - 1.0 - place).max(0.0) as usize)
}

/// A number with its sign always shown: `+1.20`, `−0.35`, `0.00`.
pub(crate) fn signed(value: f64, digits: usize) -> String {
    let text = fixed(value, digits);
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if is_zero || text.starts_with('−') { text } else { format!("+{text}") }
}

/// A p-value: three decimals, or a bound.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { fixed(p, 3) }
}

/// A p-value in a sentence: `p = 0.012`, `p < 0.001`.
pub(crate) fn p_with_sign(p: f64) -> String {
    let text = p_value(p);
    text.strip_prefix('<').map_or_else(|| format!("p = {text}"), |bound| format!("p < {bound}"))
}

/// A whole number with thin groups of three: `12 500`.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).expect("digits are ASCII")).collect();
    groups.join("\u{202f}")
}

/// A duration: `0.42 s`, `38 s`, `3m 12s`, `2h 05m`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.0005 => "0 s".to_owned(),
        s if s < 0.0995 => format!("{} s", fixed(s, 3)),
        s if s < 9.95 => format!("{} s", fixed(s, 1)),
        s if s < 59.5 => format!("{} s", fixed(s, 0)),
        s if s < 3599.5 => {
            let s = s.round() as u64;
            format!("{}m {:02}s", s / 60, s % 60)
        }
        s => {
            let m = (s / 60.0).round() as u64;
            format!("{}h {:02}m", m / 60, m % 60)
        }
    }
}

/// A size in binary units: `1.4 GiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = (bytes.max(1.0).log2() / 10.0).floor().clamp(0.0, 4.0) as usize;
    let value = bytes / 1024_f64.powi(unit as i32);
    format!("{} {}", fixed(value, usize::from(unit > 0 && value < 99.95)), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits_are_kept_whatever_the_size() {
        let written: Vec<String> =
            [1.2345, 0.000_123_45, 1234.5, -0.05, 0.0, 2.5e-9].iter().map(|&v| significant(v, 3)).collect();
        assert_eq!(written, ["1.23", "0.000123", "1234", "−0.0500", "0", "2.50e−9"]);
    }
}
