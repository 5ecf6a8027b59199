//! The main job in miniature.

use super::ackermann;
use super::outcome::listing;
use std::fs;

#[test]
fn the_main_job_writes_blob_and_report() {
    let folder = tempfile::tempdir().unwrap();
    let line = "--frames 400 --epochs 1 --tracks 1 --seconds 3 --out run";
    let value = ackermann(folder.path(), &format!("{line} --json")).json();
    for kind in ["float", "int8"] {
        let score = &value[kind];
        assert!(score["autonomy"].as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)), "{value}");
        assert!(score["mae_deg"].as_f64().is_some_and(|mae| mae > 0.0 && mae < 50.0), "{value}");
        assert!(score["lateral_m"].as_f64().is_some_and(|metres| (0.0..5.0).contains(&metres)), "{value}");
    }
    assert!(value["macs"].as_u64().is_some_and(|macs| macs <= 5_000_000), "{value}");
    assert!(value["arena_bytes"].as_u64().is_some_and(|bytes| bytes > 0 && bytes <= 96 << 10), "{value}");
    assert!(value["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{value}");
    let report = folder.path().join(value["report"].as_str().unwrap());
    let html = fs::read_to_string(report).unwrap();
    assert!(html.contains("<svg") && html.contains("data:image"), "no pictures in the report");
    let blob = folder.path().join(value["blob"].as_str().unwrap());
    assert_eq!(value["blob_bytes"], fs::metadata(&blob).unwrap().len());
    assert!(listing(folder.path()).iter().all(|name| !name.contains("partial")));
    let first = fs::read(&blob).unwrap();
    ackermann(folder.path(), "train --resume --out run").ok();
    let said = ackermann(folder.path(), &format!("{line} --threads 1")).ok().stdout;
    assert!(said.contains("autonomy") && said.contains("report.html") && said.contains("MAE"), "{said}");
    assert!(fs::read(&blob).unwrap() == first, "another number of threads gives another blob");
}
