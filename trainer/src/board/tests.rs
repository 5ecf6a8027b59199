use super::*;
use crate::ErrorKind;
use ackermann_firmware::link::Status;

#[test]
fn an_unknown_board_is_named_with_those_that_exist() {
    let error = board("mps2-an999").unwrap_err();
    assert_eq!((error.kind, error.place.as_str()), (ErrorKind::UnknownBoard, "mps2-an999"));
    assert!(error.message.contains("host, mps2-an386, mps2-an500, mps2-an505, mps3-an547, drive-px"), "{error}");
}

#[test]
fn a_blob_that_is_none_is_refused_before_anything_is_built() {
    for name in [HOST, "mps2-an386"] {
        let Err(error) = boot(name, b"not a blob, but long enough to be one of its headers", Logs::Off) else {
            panic!("{name} booted it");
        };
        assert_eq!(error.kind, ErrorKind::BadBlob, "{error}");
    }
}

#[test]
fn the_host_board_greets_and_needs_a_model_to_drive() {
    let (mut link, greeting, image) = boot(HOST, &[], Logs::Off).unwrap();
    assert_eq!((greeting.status, greeting.board.as_str()), (Status::NoModel, HOST));
    assert!(image.is_none());
    assert_eq!(link.frame(0, &crate::Frame::black(2, 2)).unwrap().status, Status::NoModel);
    assert_eq!(link.info().unwrap().dropped, 1);
    let Err(error) = BoardDriver::start(HOST, &[], Logs::Off) else { panic!("there is nothing to drive by") };
    assert_eq!(error.kind, ErrorKind::Shape);
}

#[test]
fn every_board_has_a_package_and_a_row_in_the_table() {
    let root = repository().unwrap();
    let table = std::fs::read_to_string(root.join("boards/README.md")).unwrap();
    for board in BOARDS {
        assert!(root.join("boards").join(board.name).join("Cargo.toml").is_file(), "{}", board.name);
        let row = format!(
            "| `{}` | {} | {} | `{}` | `{}` |",
            board.name,
            board.cpu,
            board.support.describe(),
            board.target,
            board.target_cpu
        );
        assert!(table.contains(&row), "{row}");
    }
}
