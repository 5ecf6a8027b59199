use base64::Engine;

use super::chart::{Axes, curves, learning_rate, loss_curves, predicted_against_true};
use super::confusion::confusion;
use super::format::{bytes, count, fixed, optional, percent, seconds};
use super::map::TrackMap;
use super::strip::{Shot, strip};
use super::{Report, Series, Table};

#[test]
fn numbers_read_well() {
    assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!(
        [0, 1023, 1024, 97_800, 3 << 20, 5 << 30].map(bytes),
        ["0 B", "1023 B", "1.0 KiB", "95.5 KiB", "3.00 MiB", "5.00 GiB"]
    );
    assert_eq!((percent(0.9834, 1), percent(f64::NAN, 1)), ("98.3 %".into(), "–".into()));
    assert_eq!(
        (fixed(-0.5, 3), optional(None, 2), optional(Some(2.0), 1)),
        ("-0.500".into(), "–".into(), "2.0".into())
    );
    assert_eq!([0.42, 12.34, 185.2, 7800.0].map(seconds), ["0.42 s", "12.3 s", "3 min 05 s", "2 h 10 min"]);
    assert_eq!(seconds(f64::NAN), "–");
}

#[test]
fn tables_are_aligned_in_the_terminal() {
    let mut table = Table::new(["layer", "MACs"]);
    table.row(["conv", "1,000"]).row(["fc", "7"]).row(["x"]);
    let lines: Vec<String> = table.to_terminal().lines().map(String::from).collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    let end = |line: &str| line.chars().count();
    assert!(lines[0].contains("layer") && lines[2].contains("conv") && lines[1].chars().all(|c| "─ ".contains(c)));
    assert_eq!(end(&lines[2]), end(&lines[3]), "{table}");
    assert_eq!((table.len(), table.is_empty()), (3, false));
}

#[test]
fn text_is_escaped_everywhere() {
    let evil = "<script>alert('\"&')</script>";
    let mut table = Table::new([evil]);
    table.row([evil]);
    let points = [(0.0, 1.0), (1.0, 2.0)];
    let series = [Series { name: evil, points: &points }, Series { name: evil, points: &points }];
    let shot = Shot { size: (1, 1), rgb: &[1, 2, 3], predicted: 0.1, truth: None, note: evil };
    let mut report = Report::new(evil);
    report.lead(evil).section(evil).text(evil).table(&table).highlights(&[(evil.into(), evil)]);
    report.figure(&curves(evil, Axes { x: evil, y: evil }, &series)).wide_figure(&strip(evil, &[shot], 25.0));
    let html = report.to_html();
    assert!(!html.contains("<script") && !html.contains("alert('"), "{html}");
    assert!(html.matches("&lt;script&gt;").count() >= 14);
}

#[test]
fn the_page_needs_nothing_else_and_is_balanced() {
    let points: Vec<(f64, f64)> = (0..50).map(|x| (f64::from(x), (f64::from(x) / 5.0).sin())).collect();
    let mut report = Report::new("report");
    let series = [Series { name: "float", points: &points }, Series { name: "int8", points: &points }];
    let map = TrackMap { center: &points, driven: &series, interventions: &points[3..5], ..TrackMap::default() };
    report.figure(&loss_curves(&[3.0, 2.0, 1.0], &[3.5, 2.5], "squared error")).figure(&learning_rate(&points));
    report.figure(&predicted_against_true("scatter", "deg", &series)).wide_figure(&map.draw("map"));
    let html = report.to_html();
    for tag in ["div", "span", "figure", "svg", "table", "main", "html", "text", "style"] {
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        let opened = html.match_indices(&open).filter(|(at, _)| html[at + open.len()..].starts_with([' ', '>', '\n']));
        assert_eq!(opened.count(), html.matches(&close).count(), "{tag}");
    }
    let without_namespace = html.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http:", "https:", "src=\"/", "<link", "@import", "url("] {
        assert!(!without_namespace.contains(outside), "{outside}");
    }
    for label in
        ["epoch", "squared error", "learning rate", "true / deg", "predicted / deg", "x / m", "y / m", "intervention"]
    {
        assert!(html.contains(label), "{label}");
    }
    assert!(!html.contains("#01020"), "placeholder colours are replaced");
}

#[test]
fn figures_bear_empty_and_odd_numbers() {
    let odd = [(0.0, f64::NAN), (f64::INFINITY, 1.0), (1.0, 1.0)];
    for points in [&[][..], &[(1.0, 1.0)], &[(0.0, 0.0); 3], &odd, &[(-1e300, 1e300), (1e300, -1e300)]] {
        let series = [Series { name: "x", points }];
        let axes = Axes { x: "x / s", y: "y / deg" };
        let map = TrackMap { center: points, driven: &series, interventions: points, ..TrackMap::default() };
        for figure in [curves("", axes, &series), predicted_against_true("", "deg", &series), map.draw("")] {
            assert!(figure.html().contains("<svg viewBox"), "{points:?}: {}", figure.html());
            assert!(!figure.html().contains("NaN"));
        }
    }
    assert!(curves("", Axes { x: "x", y: "y" }, &[]).html().contains("<svg viewBox"));
    assert!(loss_curves(&[], &[], "loss").html().contains("<svg viewBox"));
}

#[test]
fn a_confusion_matrix_shows_counts_and_names() {
    let names: Vec<String> = ["zero", "one<"].map(String::from).into();
    let html = confusion("", &names, &[vec![7, 0], vec![2, 31]]).body;
    for text in ["zero", "one&lt;", "\n7\n", "\n31\n", "\n2\n"] {
        assert!(html.contains(text), "{text}: {html}");
    }
    assert!(!html.contains("\n0\n"));
    for classes in [0, 1, 40] {
        let figure = confusion("", &vec!["x".into(); classes], &vec![vec![0; classes]; classes]);
        assert!(figure.html().contains("<svg viewBox"), "{classes}");
    }
}

#[test]
fn shots_show_where_the_steering_points() {
    let rgb = vec![0; 66 * 200 * 3];
    let shot = |predicted, truth| Shot { size: (66, 200), rgb: &rgb, predicted, truth, note: "12.5 s" };
    let figure = strip("", &[shot(1.0, Some(-1.0)), shot(f32::NAN, None)], 25.0);
    for text in ["12.5 s", "predicted +25.0°", "true -25.0°"] {
        assert!(figure.html().contains(text), "{text}");
    }
    let data = figure.html().split("base64,").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let frame = crate::data::decode_image(&base64::engine::general_purpose::STANDARD.decode(data).unwrap()).unwrap();
    assert_eq!((frame.height, frame.width), (132, 400));
    let mean_column = |color: [u8; 3]| {
        let columns: Vec<usize> =
            frame.rgb.chunks(3).enumerate().filter(|(_, pixel)| *pixel == color).map(|(at, _)| at % 400).collect();
        columns.iter().sum::<usize>() / columns.len()
    };
    assert!(mean_column([0xff, 0x8a, 0x1f]) > 230, "predicted full right");
    assert!(mean_column([0x22, 0xe0, 0x8b]) < 170, "true full left");
    let broken = Shot { size: (66, 201), ..shot(0.0, None) };
    assert!(!strip("", &[broken], 25.0).html().contains("<img"));
}

#[test]
fn bars_are_relative_to_the_largest() {
    let mut table = Table::new(["layer", "MACs"]);
    table.row(["a", "10"]).row(["b", "40"]).row(["c", "?"]).bars(1, &[10.0, 40.0, f64::NAN]);
    let html = table.to_html();
    for bar in ["--bar:25.0%", "--bar:100.0%", "--bar:0.0%"] {
        assert!(html.contains(bar), "{bar}: {html}");
    }
}

#[test]
fn a_report_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/report.html");
    Report::new("a & b").write(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("<!doctype html>") && text.contains("<title>a &amp; b</title>"));
    let error = Report::new("x").write(folder.path()).unwrap_err();
    assert_eq!(error.kind, crate::ErrorKind::Write);
}
