//! Files that are not there, not what they should be, or cannot be written.

use super::data::{npy, png, put, workshop};
use super::outcome::refused;
use std::fs;

#[test]
fn files_that_are_not_there() {
    let workshop = workshop();
    let wrong = [
        ("train --data no --out new", "no"),
        ("train --resume --out no", "no"),
        ("quantize no --calibrate d --out new.ackm", "no/config.json"),
        ("quantize r --calibrate no --out new.ackm", "no"),
        ("import no.tflite --out new.ackm", "no.tflite"),
        ("inspect no.ackm", "no.ackm"),
        ("run no.ackm --input x.npy --output y.npy", "no.ackm"),
        ("run m.ackm --input no.npy --output y.npy", "no.npy"),
        ("eval no --data d", "no"),
        ("eval r --data no", "no"),
        ("eval r m.ackm --data d/frames.csv/x", "d/frames.csv/x"),
        ("drive no.ackm", "no.ackm"),
        ("bench no.ackm --board mps2-an386", "no.ackm"),
        ("flash no.ackm --board mps2-an386", "no.ackm"),
    ];
    for (line, word) in wrong {
        refused(
            workshop.path(),
            line,
            2,
            "missing_file",
            &[word, "does not exist"].map(|w| if line.starts_with("inspect") { word } else { w }),
        );
    }
}

#[test]
fn folders_for_files_and_files_for_folders() {
    let workshop = workshop();
    fs::create_dir(workshop.path().join("f.tflite")).unwrap();
    let wrong = [
        ("train --data m.ackm --out new", "is a file"),
        ("train --data r --out new", "no data that is known"),
        ("quantize m.ackm --calibrate d --out new.ackm", "m.ackm/config.json"),
        ("quantize r --calibrate m.ackm --out new.ackm", "is a file"),
        ("import f.tflite --out new.ackm", "is a folder"),
        ("import m.ackm --out new.ackm", ".tflite"),
        ("run r --input x.npy --output y.npy", "is a folder"),
        ("run m.ackm --input d --output y.npy", "is a folder"),
        ("bench r --board mps2-an386", "is a folder"),
        ("flash r --board mps2-an386", "is a folder"),
        ("eval r --data m.ackm", "is a file"),
    ];
    for (line, word) in wrong {
        let kind = if line.contains("m.ackm --calibrate") { "missing_file" } else { "bad_file" };
        refused(workshop.path(), line, 2, kind, &[word]);
    }
    refused(workshop.path(), "eval r r --data d", 2, "usage", &["same kind"]);
}

#[test]
fn outputs_that_cannot_be_written() {
    let workshop = workshop();
    put(workshop.path(), "x.npy", npy("|i1", "(1, 32, 96, 3)", &[0; 32 * 96 * 3]));
    let wrong = [
        ("--out m.ackm/run --frames 100000", "m.ackm is a file"),
        ("train --data d --out m.ackm/run", "m.ackm is a file"),
        ("train --data d --out m.ackm", "m.ackm"),
        ("quantize r --calibrate d --out m.ackm/new.ackm", "m.ackm"),
        ("quantize r --calibrate d --out r", "is a folder"),
        ("import x.tflite --out d", "is a folder"),
        ("run m.ackm --input x.npy --output m.ackm/y.npy", "m.ackm"),
        ("run m.ackm --input x.npy --output d", "is a folder"),
        ("drive m.ackm --seconds 1 --report m.ackm/report.html", "m.ackm"),
    ];
    for (line, word) in wrong {
        refused(workshop.path(), line, 1, "write", &[word]);
    }
}

#[test]
fn arrays_of_another_shape_or_type() {
    let workshop = workshop();
    let path = workshop.path();
    put(path, "turned.npy", npy("|i1", "(1, 96, 32, 3)", &[0; 32 * 96 * 3]));
    put(path, "short.npy", npy("|i1", "(1, 32, 96, 3)", &[0; 100]));
    put(path, "huge.npy", npy("|i1", "(9000000000, 9000000000, 9000000000, 3)", &[0; 100]));
    put(path, "none.npy", npy("|i1", "(0, 32, 96, 3)", &[]));
    put(path, "double.npy", npy("<f8", "(1, 32, 96, 3)", &[0; 8 * 32 * 96 * 3]));
    put(path, "nan.npy", npy("<f4", "(1, 32, 96, 3)", &f32::NAN.to_le_bytes().repeat(32 * 96 * 3)));
    put(path, "picture.npy", png(4, 4, [1, 2, 3]));
    put(path, "empty.npy", "");
    let wrong = [
        ("turned.npy", "shape", "[1, 96, 32, 3]"),
        ("short.npy", "bad_file", "cut off"),
        ("huge.npy", "bad_file", "huge.npy"),
        ("none.npy", "shape", "none.npy"),
        ("double.npy", "bad_file", "float32, int8"),
        ("nan.npy", "not_finite", "NaN"),
        ("picture.npy", "bad_file", "not a .npy"),
        ("empty.npy", "bad_file", "empty.npy"),
    ];
    for (file, kind, word) in wrong {
        refused(path, &format!("run m.ackm --input {file} --output y.npy"), 2, kind, &[file, word]);
    }
}
