//! Command lines that nobody can obey.

use super::ackermann;
use super::data::{plain, workshop};
use super::outcome::refused;

#[test]
fn options_out_of_range_are_refused_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    plain(&folder.path().join("d"), 12);
    let wrong = [
        ("--frames 0", "--frames"),
        ("--frames -5", "-5"),
        ("--frames 18446744073709551615", "--frames"),
        ("--frames 99999999999999999999999", "--frames"),
        ("--epochs 0", "--epochs"),
        ("--tracks 0", "--tracks"),
        ("--tracks 18446744073709551615", "--tracks"),
        ("--seconds 0", "--seconds"),
        ("--seconds -1", "--seconds"),
        ("--seconds nan", "--seconds"),
        ("--seconds inf", "--seconds"),
        ("--seconds 1e30", "--seconds"),
        ("--seconds ten", "--seconds"),
        ("--net alexnet", "alexnet"),
        ("--seed -1", "-1"),
        ("--threads 0", "--threads"),
        ("--threads 18446744073709551615", "--threads"),
        ("train --data d --out r --epochs 0", "--epochs"),
        ("train --data d --out r --epochs 18446744073709551615", "--epochs"),
        ("train --data d --out r --batch 0", "--batch"),
        ("train --data d --out r --batch 18446744073709551615", "--batch"),
        ("train --data d --out r --lr 0", "--lr"),
        ("train --data d --out r --lr -0.1", "--lr"),
        ("train --data d --out r --lr nan", "--lr"),
        ("train --data d --out r --lr inf", "--lr"),
        ("train --data d --out r --weight-decay nan", "--weight-decay"),
        ("train --data d --out r --loss huber --huber-delta 0", "--huber-delta"),
        ("train --data d --out r --clip -1", "--clip"),
        ("train --data d --out r --clip inf", "--clip"),
        ("train --data d --out r --clip-value 0", "--clip-value"),
        ("train --data d --out r --net pilotnet --dropout 1", "--dropout"),
        ("train --data d --out r --net micro --dropout 0.1", "--dropout"),
        ("train --data d --out r --ema 1", "--ema"),
        ("train --data d --out r --ema nan", "--ema"),
        ("train --data d --out r --warmup -1", "--warmup"),
        ("train --data d --out r --warmup inf", "--warmup"),
        ("train --data d --out r --momentum 0.5", "--momentum"),
        ("train --data d --out r --optimizer sgd --momentum 1", "--momentum"),
        ("train --data d --out r --optimizer sgd --momentum 0 --nesterov", "--nesterov"),
        ("train --data d --out r --optimizer adamw --nesterov", "--nesterov"),
        ("train --data d --out r --optimizer adamw --weight-decay -1", "--weight-decay"),
        ("train --data d --out r --schedule step --drop-factor 0", "--schedule"),
        ("train --data d --out r --schedule step --drop-every 0", "--drop-every"),
        ("train --data d --out r --schedule cubic", "cubic"),
        ("train --data d --out r --patience 0", "--patience"),
        ("train --data d --out r --drop-straight nan", "--drop-straight"),
        ("train --data d --out r --drop-straight 1.5", "--drop-straight"),
        ("train --data d --out r --side-correction nan", "--side-correction"),
        ("train --data d --out r --label-scale 0", "--label-scale"),
        ("train --data d --out r --label-scale inf", "--label-scale"),
        ("train --data d --out r --crop 9..3", "crop"),
        ("train --data d --out r --optimizer lion", "lion"),
        ("train --data d --out r --net vgg", "vgg"),
        ("train --data sim --out r --label angle", "simulator"),
        ("quantize r --calibrate d --out m.ackm --frames 0", "--frames"),
        ("quantize r --calibrate d --out m.ackm --observer best", "--observer"),
        ("quantize r --calibrate d --out m.ackm --observer mse --percentile 99", "--percentile"),
        ("quantize r --calibrate d --out m.ackm --epochs 2", "--qat"),
        ("quantize r --calibrate d --out m.ackm --qat --lr 0", "--lr"),
        ("drive m.ackm --seconds nan", "--seconds"),
        ("drive m.ackm --seconds 1e30", "--seconds"),
        ("drive m.ackm --track -1", "-1"),
    ];
    for (line, word) in wrong {
        refused(folder.path(), line, 2, "usage", &[word]);
    }
}

#[test]
fn incomplete_and_unknown_command_lines() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = [
        ("trian", "train"),
        ("--frobnicate", "--frobnicate"),
        ("train", "--out"),
        ("train --out r", "--data"),
        ("quantize", "--calibrate"),
        ("quantize r --calibrate --out m.ackm", "--calibrate"),
        ("import", "--out"),
        ("run m.ackm", "--input"),
        ("eval", "--data"),
        ("eval a b c --data d", "c"),
        ("drive", "<MODEL>"),
        ("bench m.ackm", "--board"),
        ("flash m.ackm", "--board"),
        ("boards now", "now"),
        ("completions", "<SHELL>"),
        ("completions tcsh", "tcsh"),
        ("--frames 3 boards", "--frames"),
        ("train --resume --out r --lr 1", "--lr"),
        ("train --resume --out r --no-augment", "--no-augment"),
        ("train --resume --out r --ema 0.9", "--ema"),
        ("train --resume --out r --optimizer sgd", "--optimizer"),
        ("train --resume --overwrite --out r", "--overwrite"),
    ];
    for (line, word) in wrong {
        refused(folder.path(), line, 2, "usage", &[word, "--help"]);
    }
}

#[test]
fn unknown_boards() {
    let workshop = workshop();
    for command in ["drive", "bench", "flash"] {
        let line = format!("{command} m.ackm --board arduino");
        refused(workshop.path(), &line, 2, "unknown_board", &["arduino", "mps2-an500"]);
    }
    let line = "run m.ackm --input x.npy --output y.npy --board arduino";
    refused(workshop.path(), line, 2, "unknown_board", &["arduino", "mps2-an500"]);
    refused(workshop.path(), "drive r --board mps2-an500", 2, "usage", &["quantize"]);
}

#[test]
fn json_is_taken_before_the_command_too() {
    let folder = tempfile::tempdir().unwrap();
    let value = ackermann(folder.path(), "--json boards").json();
    assert!(value["boards"].as_array().unwrap().iter().any(|board| board["name"] == "mps2-an386"));
    ackermann(folder.path(), "--json inspect nothing.ackm").fails_as_json(2, "missing_file");
}
